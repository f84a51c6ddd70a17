/**
 * A relay that answers what a test tells it to, over a real socket, mounted under a sub-path, with the real page.
 *
 * @module
 */
import { pageAssets } from "../../src/page/page.ts";

/** A request as it arrived. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query below the mount point. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Answers one request. */
export type Reply = (request: Request) => Response | Promise<Response>;

/** A running stub. */
export interface StubRelay extends AsyncDisposable {
  /** Where the relay is mounted, with a trailing slash. */
  readonly baseUrl: string;
  readonly requests: readonly RecordedRequest[];
  /**
   * Sets what `route` (for example `GET /auth/whoami`) answers: the replies in order, the last one for good.
   */
  on(route: string, ...replies: Reply[]): void;
}

/** The session id that the stub hands out. */
export const sessionId = "c2Vzc2lvbg-_1";

/** Answers with JSON. */
export function json(body: unknown, status = 200): Reply {
  return () => Response.json(body, { status });
}

/** Answers with an event stream whose frames carry `data`, cut into network chunks by frame. */
export function events(...data: string[]): Reply {
  return () => {
    const frames = data.map((line) => new TextEncoder().encode(`data: ${line}\n\n`));
    return new Response(ReadableStream.from(frames), { headers: { "content-type": "text/event-stream" } });
  };
}

/** One chunk of a streamed chat completion. */
export function chunk(delta: object, finishReason: string | null = null): string {
  return JSON.stringify({
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  });
}

const provided: Readonly<Record<string, Reply>> = {
  "GET /auth/providers": json({
    providers: [
      { id: "openai", displayName: "ChatGPT" },
      { id: "xai", displayName: "Grok" },
      { id: "github", displayName: "GitHub Copilot" },
    ],
  }),
  "POST /auth/start": json({
    sessionId,
    provider: "openai",
    userCode: "WDJB-MJHT5",
    verificationUrl: "https://auth.openai.com/codex/device",
    expiresInMs: 900_000,
    pollIntervalMs: 5000,
  }),
  [`GET /auth/poll/${sessionId}`]: json({ status: "pending" }),
  "GET /auth/whoami": json({
    user: { id: "Q0hBVEdQVC1wZXJzb24tb3BhcXVlLWlkZW50aWZpZXI", provider: "openai" },
    session: { expires: 1_796_600_000 },
  }),
  "POST /auth/revoke": () => new Response(null, { status: 204 }),
  "GET /v1/models": json({
    object: "list",
    data: [{ id: "gpt-5.5", object: "model" }, { id: "gpt-5.5-mini", object: "model" }],
  }),
  "POST /v1/chat/completions": events(
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "Hello" }),
    chunk({ content: ", world." }),
    chunk({}, "stop"),
    "[DONE]",
  ),
};

/** Starts a stub on a free port of the loopback interface. */
export function startStubRelay(mount = "/nested/relay"): StubRelay {
  const requests: RecordedRequest[] = [];
  const replies = new Map(Object.entries(provided).map(([route, reply]) => [route, [reply]]));
  for (const { path, body, headers } of pageAssets) {
    replies.set(`GET ${path}`, [() => new Response(body, { headers })]);
  }
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const url = new URL(request.url);
    const path = url.pathname.startsWith(mount)
      ? url.pathname.slice(mount.length)
      : `outside:${url.pathname}`;
    const { method, headers } = request;
    requests.push({ method, path: path + url.search, headers, body: await request.text() });
    const queue = replies.get(`${method} ${path}`);
    const reply = queue !== undefined && queue.length > 1 ? queue.shift() : queue?.[0];
    return await reply?.(request) ?? new Response("not found", { status: 404 });
  });
  return {
    baseUrl: `http://127.0.0.1:${server.addr.port}${mount}/`,
    requests,
    on: (route, ...next) => void replies.set(route, next),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
