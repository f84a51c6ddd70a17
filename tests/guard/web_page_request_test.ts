import assert from "node:assert/strict";
import { isForeignWebPage, isMarkedAsWebPage } from "../../src/guard/web_page_request.ts";

function request(url: string, headers: Record<string, string> = {}): Request {
  return new Request(url, { headers });
}

Deno.test("isForeignWebPage() takes public host names for a page's that was pointed here", () => {
  const home = [
    "http://127.0.0.1:3000",
    "http://192.168.1.7:3000",
    "http://[::1]:3000",
    "http://localhost:3000",
    "http://relay.localhost",
    "http://relay:3000",
    "http://mac.local:3000",
    "http://host.docker.internal:3000",
    "http://nas.home.arpa",
  ];
  const foreign = [
    "http://evil.example:3000",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
  ];
  for (const url of home) assert.equal(isForeignWebPage(request(url), []), false, url);
  for (const url of foreign) assert.equal(isForeignWebPage(request(url), []), true, url);
});

Deno.test("isForeignWebPage() believes what browsers say of the page, and lets named origins in", () => {
  const url = "http://127.0.0.1:3000/v1/models";
  const cases: [Record<string, string>, readonly string[], boolean][] = [
    [{ origin: "https://evil.example" }, [], true],
    [{ origin: "https://evil.example" }, ["*"], true],
    [{ origin: "https://mine.example" }, ["https://mine.example"], false],
    [{ origin: "https://mine.example.evil.example" }, ["https://mine.example"], true],
    [{ origin: "null" }, [], true],
    [{ "sec-fetch-site": "cross-site" }, [], true],
    [{ "sec-fetch-site": "same-site" }, [], true],
    [{ "sec-fetch-site": "same-origin" }, [], false],
    [{ "sec-fetch-site": "none" }, [], false],
    [{}, [], false],
  ];
  for (const [headers, origins, expected] of cases) {
    assert.equal(
      isForeignWebPage(request(url, headers), origins),
      expected,
      JSON.stringify([headers, origins]),
    );
  }
});

Deno.test("isForeignWebPage() takes a Host that is none for a foreign one", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => new Response(String(isForeignWebPage(request, []))),
  );
  for (const [host, foreign] of [["[::1", true], ["1.2.3.4.5", true], ["[::1]", false]] as const) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    await connection.write(
      new TextEncoder().encode(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
    );
    const answer = await new Response(connection.readable).text();
    assert.ok(answer.endsWith(String(foreign)), `${host}: ${answer}`);
  }
  await server.shutdown();
});

Deno.test("isMarkedAsWebPage() believes what browsers say of the page", () => {
  const cases: [Record<string, string>, boolean][] = [
    [{}, false],
    [{ origin: "https://evil.example" }, true],
    [{ origin: "null" }, true],
    [{ "sec-fetch-site": "cross-site" }, true],
    [{ "sec-fetch-site": "none" }, false],
    [{ "sec-fetch-site": "same-origin" }, false],
  ];
  for (const [headers, expected] of cases) {
    assert.equal(isMarkedAsWebPage(new Headers(headers)), expected, JSON.stringify(headers));
  }
});
