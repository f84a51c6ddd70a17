import assert from "node:assert/strict";
import { type HttpServerOptions, startHttpServer } from "../../src/sandbox/http_server.ts";

/** Serves one kind of answer and collects how exchanges ended. */
async function withServer(
  answer: (request: Request, body: Uint8Array<ArrayBuffer>) => Promise<Response>,
  test: (url: string, nextEnd: () => Promise<string>) => Promise<void>,
  maxBodyBytes = 1024,
): Promise<void> {
  const ends: string[] = [];
  const waiting: ((end: string) => void)[] = [];
  const options: HttpServerOptions = {
    hostname: "127.0.0.1",
    port: 0,
    maxBodyBytes,
    begin: (request, body) => ({
      answer: () => answer(request, body),
      ended(how) {
        const next = waiting.shift();
        if (next === undefined) ends.push(how);
        else next(how);
      },
    }),
  };
  const server = await startHttpServer(options);
  const nextEnd = () => {
    const end = ends.shift();
    return end === undefined ? new Promise<string>((resolve) => waiting.push(resolve)) : Promise.resolve(end);
  };
  try {
    await test(`http://127.0.0.1:${server.port}`, nextEnd);
  } finally {
    await server.close();
  }
}

Deno.test("startHttpServer() carries method, headers and bytes both ways", () =>
  withServer(
    (request, body) =>
      Promise.resolve(
        new Response(body.toReversed(), {
          status: 201,
          headers: [["x-path", new URL(request.url).pathname], [
            "x-got",
            request.headers.get("x-sent") ?? "",
          ]],
        }),
      ),
    async (url, nextEnd) => {
      const body = new Uint8Array([0, 255, 7]);
      const response = await fetch(`${url}/a%20b`, { method: "POST", body, headers: { "x-sent": "1" } });
      assert.deepEqual(await response.bytes(), new Uint8Array([7, 255, 0]));
      assert.deepEqual(
        [response.status, response.headers.get("x-path"), response.headers.get("x-got")],
        [201, "/a%20b", "1"],
      );
      assert.equal(await nextEnd(), "sent");
    },
  ));

Deno.test("startHttpServer() refuses bodies that are too large and lives on", () =>
  withServer(() => Promise.resolve(new Response("fine")), async (url) => {
    assert.equal((await fetch(url, { method: "POST", body: "x".repeat(1025) })).status, 413);
    assert.equal(await (await fetch(url)).text(), "fine");
  }));

Deno.test("startHttpServer() answers 500 when the sandbox itself fails", () =>
  withServer(() => Promise.reject(new Error("bug")), async (url) => {
    const response = await fetch(url);
    assert.deepEqual([response.status, await response.text()], [500, "The sandbox failed: bug\n"]);
  }));

Deno.test("startHttpServer() lets a slow reader slow down the body and stops it when the reader leaves", async () => {
  const total = 20_000;
  let made = 0;
  let cancelled = false;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        made += 1;
        if (made > total) controller.close();
        else controller.enqueue(new Uint8Array(65_536));
      },
      cancel() {
        cancelled = true;
      },
    }, { highWaterMark: 0 });
  await withServer(() => Promise.resolve(new Response(endless())), async (url, nextEnd) => {
    const response = await fetch(url);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    assert.equal(await nextEnd(), "client_left");
    assert.ok(made < total, "the body was made faster than it was read");
    assert.ok(cancelled);
  });
});
