/**
 * A life of real relay processes, and a search for every secret of it in everything that they leave behind: the bytes of
 * their files, what they print, and what they answer.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pollKeys } from "../../src/crypto/poll_key.ts";
import type { ProviderId } from "../../src/provider/provider.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { createTokenSource } from "../../src/sandbox/token_source.ts";
import { type Ended, withProject } from "../cli/spawned_relay.ts";
import {
  approve,
  fieldsOf,
  type Life,
  misplaceSecrets,
  renew,
  secretFields,
  type Session,
  signInWithHiccups,
  signOut,
  useModels,
} from "./canary_life.ts";
import { pollInterval, providerIds, relayClient, startRelay } from "./relay_process.ts";
import { identitySecret, jwtSecret } from "./rig.ts";
import { createSecretSearch, readFiles, type SecretSearch } from "./secret_search.ts";

Deno.test("no secret gets out of the relay by its files, its output or its answers", async (test) => {
  let aheadMs = 0;
  const sandbox = await startSandbox({ pollIntervalSeconds: 1, now: () => Date.now() + aheadMs });
  const search = createSecretSearch();
  search.addKey("JWT secret", Uint8Array.fromHex(jwtSecret));
  search.addKey("identity secret", Uint8Array.fromHex(identitySecret));
  const leaks: string[] = [];
  try {
    await withProject(async (project) => {
      const relay = await startRelay(project, sandbox);
      const answers: Answer[] = [];
      const outputs: Ended[] = [];
      const life: Life = { sandbox, relay, send: recordingFetch(answers) };
      const snapshots: ReadonlyMap<string, Uint8Array>[] = [];
      const snapshot = async () => void snapshots.push(await readFiles(project.dataDir));

      const sessions = new Map<ProviderId, Session>();
      await test.step("sign-ins that are completed, broken and denied", async () => {
        await Promise.all(providerIds.map(async (provider) => {
          sessions.set(provider, await signInWithHiccups(life, provider));
        }));
        await snapshot();
      });
      await test.step("a kill in the middle of an exchange", async () => {
        const victim = await startRelay(project, sandbox);
        const started = await relayClient(victim.origin, life.send).start("openai");
        await pollInterval(started.pollIntervalMs);
        approve(sandbox, started);
        sandbox.control.addFault({ upstream: "chatgpt", on: "exchange", kind: { type: "hang" } });
        const before = sandbox.control.requests({ upstream: "chatgpt", on: "exchange" }).length;
        fetch(`${victim.origin}/auth/poll/${started.sessionId}`).catch(() => undefined);
        await sandbox.control.waitForRequests({ upstream: "chatgpt", on: "exchange" }, before + 1);
        outputs.push(await victim.kill());
        await snapshot();
      });
      for (const session of sessions.values()) {
        await test.step(`calls, faults and refreshes on ${session.provider}`, async () => {
          await useModels(life, session);
          await renew(life, session);
          await snapshot();
        });
        await test.step(`secrets in odd places of requests on ${session.provider}`, async () => {
          await misplaceSecrets(life, session);
          await snapshot();
        });
      }
      await test.step("a sign-in whose code expires, and the end of every session", async () => {
        const late = await relayClient(relay.origin, life.send).start("xai");
        await pollInterval(late.pollIntervalMs);
        aheadMs = 31 * 60_000;
        assert.equal((await relayClient(relay.origin, life.send).poll(late.sessionId)).status, "expired");
        for (const session of sessions.values()) await signOut(life, session);
        await snapshot();
      });
      outputs.push(await relay.stop());
      await snapshot();

      collectIssued(search, sandbox);
      await collectSessions(search, answers);
      for (const [name, least] of Object.entries(leastSecrets)) {
        assert.ok(search.count(name) >= least, `only ${search.count(name)} of: ${name}`);
      }
      for (const files of snapshots) {
        assert.ok([...files.keys()].some((path) => path.endsWith("relay.db")));
        for (const [path, bytes] of files) leaks.push(...search.find(path, bytes));
      }
      assert.match(outputs.at(-1)?.stderr ?? "", /upstream_error/);
      for (const { stdout, stderr } of outputs) {
        leaks.push(...search.find("standard output", bytesOf(stdout)));
        leaks.push(...search.find("standard error", bytesOf(stderr)));
      }
      for (const answer of answers) leaks.push(...search.find(answer.request, strayBytes(answer)));
    });
  } finally {
    await sandbox.shutdown();
  }
  assert.deepEqual([...new Set(leaks)], []);
});

Deno.test("the search finds a secret that is planted in a database, a KV file, a log or an answer", async () => {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const token = createTokenSource()("ghu_", "planted token");
  const search = createSecretSearch();
  search.addKey("key", key);
  search.addText("token", token);
  const dir = await Deno.makeTempDir();
  try {
    const database = new DatabaseSync(join(dir, "planted.db"));
    database.exec("CREATE TABLE t (value BLOB)");
    // The value fills several pages, and the key lies across the end of one of them wherever the engine cuts.
    const long = new Uint8Array(12_000);
    for (let at = 0; at + 32 <= long.length; at += 32) long.set(key, at);
    database.prepare("INSERT INTO t VALUES (?)").run(long);
    database.close();
    const kv = await Deno.openKv(join(dir, "planted.kv"));
    await kv.set(["t"], { text: `before ${token} after` });
    kv.close();
    const found = [...await readFiles(dir)].flatMap(([path, bytes]) => search.find(path, bytes));
    assert.ok(found.includes(`${join(dir, "planted.db")}: key`), found.join("\n"));
    assert.ok(
      found.some((line) => line.includes("planted.kv") && line.endsWith(": token")),
      found.join("\n"),
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  for (const spelling of [key.toHex(), key.toBase64(), key.toBase64({ alphabet: "base64url" })]) {
    assert.deepEqual(search.find("log", bytesOf(`x ${spelling} y`)), ["log: key in writing"]);
  }
  assert.deepEqual(search.find("half", bytesOf(token.slice(-20))), ["half: token"]);
  assert.deepEqual(search.find("nothing", bytesOf("A harmless line.")), []);
});

/** How many secrets of each kind the life has at least; less would mean that they are not found, but missed. */
const leastSecrets: Readonly<Record<string, number>> = {
  "device code": 8,
  "authorization code": 3,
  "PKCE verifier": 3,
  "access token": 6,
  "refresh token": 6,
  "token signature": 6,
  "session JWT": 3,
  "record key": 3,
  "session id": 10,
  "poll seal key": 10,
};

/** An answer of the relay, head and body. */
interface Answer {
  readonly request: string;
  readonly path: string;
  readonly head: string;
  readonly body: Uint8Array;
}

/** A fetch that keeps what comes back, also from streams that break. */
function recordingFetch(answers: Answer[]): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const response = await fetch(request);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    try {
      for await (const chunk of response.body ?? []) chunks.push(chunk);
    } catch {
      // What came before the break counts.
    }
    const body = await new Blob(chunks).bytes();
    const { pathname } = new URL(request.url);
    answers.push({
      // A path that has a secret in it is not for the report of the test.
      request: `${request.method} ${pathname.slice(0, 24)}, status ${response.status}`,
      path: pathname,
      head: [...response.headers].map((pair) => pair.join(": ")).join("\n"),
      body,
    });
    const bodiless = [204, 304].includes(response.status);
    return new Response(bodiless ? null : body, { status: response.status, headers: response.headers });
  };
}

/** An answer without the one secret that belongs there. */
function strayBytes({ path, head, body }: Answer): Uint8Array {
  let text = new TextDecoder("latin1").decode(body);
  const belongs = path === "/auth/start" ? "sessionId" : path.startsWith("/auth/poll/") ? "jwt" : undefined;
  if (belongs !== undefined && text.startsWith("{")) {
    text = text.replace(String(JSON.parse(text)[belongs]), "");
  }
  return bytesOf(`${head}\n\n${text}`);
}

/** Everything that the simulated providers handed out. */
function collectIssued(search: SecretSearch, sandbox: Sandbox): void {
  for (const request of sandbox.control.requests()) {
    const bearer = /^(?:Bearer|token) (.+)$/i.exec(request.headers["authorization"] ?? "")?.[1];
    if (bearer !== undefined) search.addText("access token", bearer);
    for (const [name, value] of fieldsOf(request)) {
      const kind = secretFields[name];
      if (kind !== undefined) search.addText(kind, value);
    }
  }
  // Some tokens never come back, so that no request tells them: their signatures are made again.
  const token = createTokenSource();
  for (const purpose of ["chatgpt signature", "grok signature"]) {
    for (let count = 0; count < 40; count++) search.addText("token signature", token("", purpose));
  }
}

/** Everything that the relay handed out, and the keys in it. */
async function collectSessions(search: SecretSearch, answers: readonly Answer[]): Promise<void> {
  for (const { path, body } of answers) {
    const text = new TextDecoder().decode(body);
    if (!path.startsWith("/auth/") || !text.startsWith("{")) continue;
    const { sessionId, jwt } = JSON.parse(text);
    if (sessionId !== undefined) {
      search.addText("session id", sessionId);
      search.addKey("session id as bytes", Uint8Array.fromBase64(sessionId, { alphabet: "base64url" }));
      search.addKey("poll seal key", (await pollKeys(sessionId)).sealKey);
    }
    if (jwt !== undefined) {
      search.addText("session JWT", jwt);
      search.addKey("record key", recordKey(jwt));
    }
  }
}

function recordKey(jwt: string): Uint8Array {
  const url = { alphabet: "base64url" } as const;
  const payload = new TextDecoder().decode(Uint8Array.fromBase64(jwt.split(".")[1] ?? "", url));
  return Uint8Array.fromBase64(JSON.parse(payload).k, url);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
