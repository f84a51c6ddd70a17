import assert from "node:assert/strict";
import { CHUNKED, LENGTH_2 } from "./open_sender.ts";
import { startRawServer } from "./raw_server.ts";
import { selfSignedCertificate } from "./self_signed.ts";

/**
 * Runs a program that has `src/provider/http_sender.ts` as `sender`, in a process of its own; what it printed. Not as a
 * module that awaits: such a one keeps its process alive by itself.
 */
async function inProcess(program: string, env: Record<string, string> = {}): Promise<string> {
  const module = new URL("../../src/provider/http_sender.ts", import.meta.url);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--ext=ts",
      `import * as sender from ${JSON.stringify(module.href)};\nvoid (async () => {${program}})();`,
    ],
    env,
    // For a process that does not end.
    signal: AbortSignal.timeout(60_000),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("createHttpSender().send keeps the process alive for a call, and not for a connection that waits", async () => {
  const taken = Promise.withResolvers<void>();
  await using server = startRawServer(async (peer) => {
    await peer.request();
    await peer.say(LENGTH_2);
    await peer.request();
    // Nothing but the call is left to wait for, on a connection that waited before: time enough to end without it.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await peer.say(LENGTH_2);
    assert.equal(await peer.receive(), undefined);
    taken.resolve();
  });
  const output = await inProcess(`
    // The limit of the rest is not what ends the process.
    globalThis.setTimeout = Object.assign(() => 0, globalThis.setTimeout);
    const { send } = sender.createHttpSender();
    for (let call = 0; call < 2; call++) {
      const { body } = await send(${
    JSON.stringify(server.origin)
  }, { method: "GET", headers: {} }, new AbortController().signal);
      while (await body.read() !== undefined);
    }
    console.log("done");
  `);
  assert.equal(output, "done");
  await taken.promise;
});

Deno.test("both senders speak TLS with certificates that the process trusts, and with no others", async () => {
  const certificate = await selfSignedCertificate();
  const file = await Deno.makeTempFile({ suffix: ".pem" });
  await Deno.writeTextFile(file, certificate.cert);
  const requests: string[] = [];
  await using server = startRawServer(async (peer) => {
    for (let request; (request = await peer.request()) !== undefined;) {
      requests.push(`${peer.number} ${request.slice(0, request.indexOf("\r\n"))}`);
      await peer.say(`${CHUNKED}2\r\n{}\r\n0\r\n\r\n`);
    }
  }, certificate);
  const program = `
    const own = sender.createHttpSender();
    const client = Deno.createHttpClient({ http2: false });
    const byFetch = sender.sendByFetch((url, init) => fetch(url, { ...init, client }));
    for (const send of [own.send, byFetch]) {
      for (let call = 0; call < 2; call++) {
        try {
          const { body } = await send(
            ${JSON.stringify(server.origin)} + "/path",
            { method: "POST", headers: {}, content: new Uint8Array(100_000) },
            new AbortController().signal,
          );
          console.log(await new Response("getReader" in body ? body : await body.read()).text());
          while (!("getReader" in body) && await body.read() !== undefined);
        } catch {
          console.log("rejected");
        }
      }
    }
    own.close();
    client.close();
  `;
  assert.equal(await inProcess(program, { DENO_CERT: file }), "{}\n{}\n{}\n{}");
  assert.deepEqual(requests.slice(0, 2), ["1 POST /path HTTP/1.1", "1 POST /path HTTP/1.1"]);
  assert.equal(requests.length, 4);
  assert.equal(await inProcess(program), "rejected\nrejected\nrejected\nrejected");
  assert.equal(requests.length, 4);
  await Deno.remove(file);
});
