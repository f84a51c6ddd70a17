/**
 * The servers that are compared, all in front of one stub upstream: the relay as its operator runs it, the bare proxy,
 * and the peers.
 *
 * @module
 */
import type { LoadRequest } from "./load.ts";
import { type AbsentPeer, type Peer, startPeers } from "./peers.ts";
import { type ServerProcess, startServer } from "./server_process.ts";
import { signedIn } from "./signed_in.ts";

/** A kind of call: what the client speaks, and what the upstream behind it. */
export type CallKind =
  /** Chat to Grok's Chat. */
  | "chat"
  /** Responses to ChatGPT's Responses. */
  | "responses"
  /** Chat to ChatGPT's Responses. */
  | "translated";

/** A server that is measured. */
export interface Contender {
  readonly name: string;
  readonly server: ServerProcess;
  /** A call of a kind; undefined where the server cannot answer it. `model` is the stub's script, for streams. */
  request(
    kind: CallKind,
    call: { readonly stream: boolean; readonly model: string },
  ): LoadRequest | undefined;
}

/** All of them; disposing of it stops every process and removes every file. */
export interface Contenders extends AsyncDisposable {
  readonly relay: Contender;
  readonly bare: Contender;
  readonly peers: readonly Contender[];
  readonly absent: readonly AbsentPeer[];
}

const root = new URL("../../", import.meta.url);

const jwtSecretHex = "a1".repeat(16) + "b2".repeat(16);
const identitySecretHex = "c3".repeat(16) + "d4".repeat(16);

/** As long as the access token that the relay sends. */
const bareHeaders = { authorization: `Bearer ${"a".repeat(2000)}` };

/** Starts everything. */
export async function startContenders(): Promise<Contenders> {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "relay-bench-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const upstream = stack.use(
    await startServer({
      args: ["run", "-q", "--no-prompt", "--allow-net=127.0.0.1", "tests/bench/upstream_stub.ts"],
      cwd: root,
      env: {},
      path: "/",
    }),
  );
  const bare = stack.use(
    await startServer({
      args: ["run", "-q", "--no-prompt", "-P=serve", "tests/bench/bare_proxy.ts", upstream.origin],
      cwd: root,
      env: {},
      path: "/",
    }),
  );
  const relay = await startRelay(upstream.origin, dir);
  stack.use(relay.server);
  const peers = await startPeers(upstream.origin, dir);
  const running = peers.filter((peer) => "server" in peer);
  for (const { server } of running) stack.use(server);
  const started = stack.move();
  return {
    relay,
    bare: { name: "Deno + Hono + fetch", server: bare, request: requestUpstream(bare.origin) },
    peers: running.map(peerContender),
    absent: peers.filter((peer) => "absent" in peer),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** The command of `deno task start`, with a data directory of its own. */
async function startRelay(upstream: string, dir: string): Promise<Contender> {
  const database = { databasePath: `${dir}/relay.db`, jwtSecretHex };
  const chatGpt = { authorization: `Bearer ${await signedIn("openai", database)}` };
  const grok = { authorization: `Bearer ${await signedIn("xai", database)}` };
  const server = await startServer({
    args: [
      ...["run", "-q", "--no-prompt", "-P=serve", `--allow-read=${dir}`, `--allow-write=${dir}`],
      ...["src/main.ts", "serve", `--data-dir=${dir}`, "--port=0"],
    ],
    cwd: root,
    env: {
      AUTH_AI_JWT_SECRET: jwtSecretHex,
      AUTH_AI_IDENTITY_SECRET: identitySecretHex,
      AUTH_AI_ORIGINATOR: "bench",
      // One session makes all the calls: the limits judge each of them and refuse none.
      AUTH_AI_RATE_LIMIT_PER_MINUTE: "1000000",
      AUTH_AI_RATE_LIMIT_BURST: "1000000",
      AUTH_AI_CONCURRENT_REQUESTS_PER_IP: "1000000",
      AUTH_AI_OPENAI_API_URL: upstream,
      AUTH_AI_XAI_API_URL: upstream,
    },
    path: "/readyz",
  });
  const calls = {
    chat: { path: "/v1/chat/completions", headers: grok, body: chatBody, ending: chatEnding },
    responses: { path: "/v1/responses", headers: chatGpt, body: responsesBody, ending: responsesEnding },
    translated: { path: "/v1/chat/completions", headers: chatGpt, body: chatBody, ending: chatEnding },
  } as const;
  return {
    name: "relay",
    server,
    request(kind, call) {
      const { path, headers, body, ending } = calls[kind];
      return { url: server.origin + path, headers, body: { ...body, ...call }, ending: ending(call.stream) };
    },
  };
}

/** Calls as the upstream itself takes them. */
function requestUpstream(origin: string): Contender["request"] {
  return (kind, call) =>
    kind === "chat"
      ? {
        url: `${origin}/chat/completions`,
        headers: bareHeaders,
        body: { ...chatBody, ...call },
        ending: chatEnding(call.stream),
      }
      : {
        url: `${origin}/codex/responses`,
        headers: bareHeaders,
        body: { ...responsesBody, ...call },
        ending: responsesEnding(),
      };
}

function peerContender({ name, server, path, headers, streams }: Peer): Contender {
  return {
    name,
    server,
    request(kind, call) {
      if (kind !== "chat" || (call.stream && !streams)) return undefined;
      return {
        url: server.origin + path,
        headers: { ...bareHeaders, ...headers },
        body: { ...chatBody, ...call },
        ending: chatEnding(call.stream),
      };
    },
  };
}

const instructions = "You are a helpful assistant who answers in whole sentences. ".repeat(10);
const question = "Tell me something about the sea that I do not know yet. ".repeat(5);

const chatBody = {
  messages: [{ role: "system", content: instructions }, { role: "user", content: question }],
  max_tokens: 1000,
};

const responsesBody = {
  instructions,
  input: [{ type: "message", role: "user", content: [{ type: "input_text", text: question }] }],
  store: false,
  include: ["reasoning.encrypted_content"],
  reasoning: { effort: "medium" },
};

function chatEnding(stream: boolean): string {
  return stream ? "data: [DONE]" : '"finish_reason":"stop"';
}

function responsesEnding(): string {
  return '"type":"response.completed"';
}
