/**
 * A day of mixed traffic under a clock that the test turns, and then the log of it: every request has its lines, and nothing of
 * what was said or secret is in any of them.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { RelayAppOptions } from "../../src/app/options.ts";
import { fingerprint } from "../../src/crypto/secret.ts";
import { createLimiter } from "../../src/guard/limiter.ts";
import { defaultLimitSettings } from "../../src/guard/limits.ts";
import type { ProviderId } from "../../src/provider/provider.ts";
import type { Fault } from "../../src/sandbox/contract.ts";
import { openStore } from "../../src/store/store.ts";
import { openTrafficLog } from "../../src/traffic/traffic_log.ts";
import { fieldsOf, secretFields } from "../e2e/canary_life.ts";
import { relayToken, startPersonalRig } from "../e2e/personal_rig.ts";
import { providerCases, providerIds } from "../e2e/relay_process.ts";
import { createSecretSearch, readFiles } from "../e2e/secret_search.ts";
import { namesBelow, parseLines } from "../traffic/log_bench.ts";

type Line = Record<string, unknown>;

/** A request that was sent, and what came back. */
interface Exchange {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly token: string | undefined;
  readonly ignored: string | null;
  readonly text: string;
}

/** The rig with a log in a folder of its own. */
async function startLoggedRig(relay: Partial<RelayAppOptions> = {}) {
  const dir = await Deno.makeTempDir();
  /** The rig's clock, as soon as there is a rig. */
  const time = { now: () => Date.UTC(2026, 10, 22) };
  const clockMs = () => time.now();
  const shared = await openStore({ databasePath: ":memory:", kvPath: ":memory:" });
  // Few requests, so that some are refused; a clock that jumps by the hour gives them back.
  const limiter = createLimiter({
    settings: { ...defaultLimitSettings, rateBurst: 30, failedAuthMaxAttempts: 3 },
    shared: shared.shared,
    now: clockMs,
  });
  await limiter.ready;
  const log = openTrafficLog({
    dir: join(dir, "logs"),
    retentionDays: 14,
    maxBytes: 100_000_000,
    now: clockMs,
    schedule: () => () => {},
    warn: (sentence) => assert.fail(sentence),
  });
  const rig = await startPersonalRig({ relay: { limiter, observe: log.observe, ...relay } });
  time.now = () => rig.clock.nowMs;
  const exchanges: Exchange[] = [];

  async function send(
    path: string,
    token: string | undefined,
    body?: unknown,
    options: { readonly method?: string; readonly from?: string; readonly cancel?: true } = {},
  ): Promise<Exchange> {
    const { method = body === undefined ? "GET" : "POST", from = "127.0.0.1" } = options;
    const request = new Request(`${rig.origin}${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    const response = await rig.app.fetch(request, { remoteAddr: { hostname: from } });
    if (options.cancel === true) await response.body?.cancel();
    const exchange = {
      requestId: response.headers.get("x-request-id") ?? "",
      method,
      path,
      status: response.status,
      token,
      ignored: response.headers.get("x-authai-ignored-parameters"),
      text: options.cancel === true ? "" : await response.text(),
    };
    exchanges.push(exchange);
    return exchange;
  }

  return {
    rig,
    log,
    dir,
    exchanges,
    send,
    /** All lines, from all files. */
    async lines(): Promise<Line[]> {
      const names = await namesBelow(join(dir, "logs"));
      const texts = await Promise.all(names.map((name) => Deno.readTextFile(join(dir, "logs", name))));
      return texts.flatMap(parseLines);
    },
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await limiter.close();
      await log.close();
      await shared.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

type LoggedRig = Awaited<ReturnType<typeof startLoggedRig>>;

/** What upstreams are made to do, one kind an hour. */
const faults: readonly Fault["kind"][] = [
  { type: "status", status: 429, body: '{"error":{"message":"Canary words of an upstream about a prompt"}}' },
  { type: "status", status: 503, body: "Canary words of an upstream" },
  { type: "drop" },
  { type: "challenge" },
  { type: "stream_cut", afterPieces: 2 },
  { type: "stream_failed", afterPieces: 2 },
  { type: "stream_error_event", afterPieces: 1 },
  { type: "stream_eof", afterPieces: 2 },
  { type: "stream_garbage", afterPieces: 2 },
  { type: "status", status: 401, body: "{}" },
];

/** One hour: calls of all kinds, with a trouble, and requests that are refused. Every prompt and token is a canary. */
async function leadHour(
  logged: LoggedRig,
  hour: number,
  jwts: ReadonlyMap<ProviderId, string>,
): Promise<void> {
  const { rig, send } = logged;
  const canary = (what: string) => `canary-${what}-${hour} The quick brown secret of hour ${hour}`;
  for (const [provider, jwt] of jwts) {
    const { model, upstream } = providerCases[provider];
    const messages = [{ role: "user", content: canary(`prompt-${provider}`) }];
    const stream = hour % 2 === 0;
    await send("/v1/chat/completions", jwt, {
      model,
      messages,
      stream,
      temperature: 0.3,
      [canary("name")]: 1,
    });
    await send("/v1/responses?note=canary-query-value-0123", jwt, {
      model: provider === "github" ? "gpt-5.3-codex" : model,
      input: canary("input"),
      stream: !stream,
    });
    await send("/v1/completions", jwt, { model, prompt: canary("completion"), stream });
    const kind = faults[hour % faults.length];
    assert.ok(kind !== undefined);
    rig.sandbox.control.addFault({ upstream, on: "call", kind });
    await send("/v1/chat/completions", jwt, { model, messages, stream });
  }
  await send("/v1/chat/completions", relayToken, {
    model: "gpt-5.5",
    messages: [{ role: "user", content: canary("owner") }],
  });
  await send("/v1/models?canary-query-name=1", relayToken);
  await send("/v1/subscription/status", jwts.get("openai"));
  await send("/auth/whoami?token=canary-query-token-01234567", jwts.get("xai"));
  await send("/v1/chat/completions", jwts.get("xai"), { model: canary("model"), messages: [] });
  await send(`/v1/canary-path-${hour}-secret`, jwts.get("xai"));
  await send(`/canary-path-${hour}-secret`, undefined);
  const form = new FormData();
  form.set("purpose", "user_data");
  form.set("file", new File([canary("content")], `canary-file-name-${hour}.txt`, { type: "text/plain" }));
  await send("/v1/files", jwts.get("openai"), form);
  const attacker = { from: "198.51.100.9" };
  for (let attempt = 0; attempt < 4; attempt++) {
    await send("/v1/models", `canary-guess-${hour}-${attempt}-aaaaaaaaaaaa`, undefined, attacker);
  }
  if (hour === 3) {
    for (let count = 0; count < 40; count++) {
      await send("/v1/relay/status", relayToken, undefined, { from: "203.0.113.4" });
    }
    const body = { model: "gpt-5.5", stream: true, messages: [{ role: "user", content: canary("left") }] };
    await send("/v1/chat/completions", jwts.get("openai"), body, { cancel: true });
  }
}

Deno.test("a day's mixed traffic is in the log, request by request, and nothing secret or said is", async (test) => {
  await using logged = await startLoggedRig();
  const { rig, exchanges } = logged;
  const jwts = new Map<ProviderId, string>();
  for (const provider of providerIds) jwts.set(provider, await rig.login(provider));
  for (let hour = 0; hour < 24; hour++) {
    await leadHour(logged, hour, jwts);
    rig.clock.nowMs += 60 * 60_000;
    if (hour % 5 === 0) await logged.log.flush();
  }
  await logged.log.flush();
  const lines = await logged.lines();
  const byRequest = Map.groupBy(lines, (line) => line["request_id"]);

  await test.step("there is a file for each hour, and more of everything than could be missed", async () => {
    assert.ok((await namesBelow(join(logged.dir, "logs"))).length >= 24);
    assert.ok(exchanges.length > 500);
    const kinds = Map.groupBy(lines, ({ kind }) => kind);
    for (
      const kind of [
        "request",
        "response",
        "upstream_request",
        "upstream_response",
        "upstream_error",
        "adaptation",
        "retry",
        "answer_ended",
        "authentication_failed",
        "rejected",
      ]
    ) assert.ok((kinds.get(kind)?.length ?? 0) >= 10, `${kind}: ${kinds.get(kind)?.length}`);
    const ends = new Set(kinds.get("answer_ended")?.map(({ end }) => end));
    assert.deepEqual([...ends].sort(), ["cancelled", "completed", "cut", "failed"]);
  });

  await test.step("every request has its lines", async () => {
    for (const exchange of exchanges) {
      const own = byRequest.get(exchange.requestId) ?? [];
      await checkLines(exchange, own);
    }
    // Sign-ins went by another way; every line but those of the rig's own requests belongs to an exchange.
    const known = new Set(exchanges.map(({ requestId }) => requestId));
    for (const [id, own] of byRequest) {
      assert.match(String(id), /^req_/);
      if (!known.has(String(id))) assert.match(String(own[0]?.["route"]), /^\/auth\//);
    }
  });

  await test.step("the tokens of the answers are the answers' own", () => {
    let documents = 0;
    for (const { requestId, text, status } of exchanges) {
      const ended = byRequest.get(requestId)?.find(({ kind }) => kind === "answer_ended");
      if (ended?.["streamed"] !== false || status !== 200) continue;
      const { usage } = JSON.parse(text);
      documents++;
      assert.equal(ended["input_tokens"], usage.prompt_tokens ?? usage.input_tokens);
      // Grok's Chat counts reasoning beside the completion, and only its total says so.
      assert.equal(ended["output_tokens"], usage.total_tokens - Number(ended["input_tokens"]));
    }
    assert.ok(documents > 100, String(documents));
    const streams = lines.filter(({ kind, streamed, end }) =>
      kind === "answer_ended" && streamed === true && end === "completed"
    );
    assert.ok(streams.length > 50 && streams.some(({ output_tokens: tokens }) => Number(tokens) > 0));
  });

  await test.step("no secret, no prompt, no answer and no query is in any file", async () => {
    const search = createSecretSearch();
    for (const jwt of jwts.values()) search.addText("session JWT", jwt);
    search.addText("relay token", relayToken);
    for (const request of rig.sandbox.control.requests()) {
      const bearer = /^(?:Bearer|token) (.+)$/i.exec(request.headers["authorization"] ?? "")?.[1];
      if (bearer !== undefined) search.addText("access token", bearer);
      for (const [name, value] of fieldsOf(request)) {
        const kind = secretFields[name];
        if (kind !== undefined) search.addText(kind, value);
      }
    }
    assert.ok(exchanges.some(({ text }) => /Hello from .* You said: .*canary-/.test(text)));
    assert.ok(search.count("access token") > 3 && search.count("refresh token") > 3);
    for (const [path, bytes] of await readFiles(join(logged.dir, "logs"))) {
      assert.deepEqual(search.find(path, bytes), []);
      const text = new TextDecoder().decode(bytes);
      assert.doesNotMatch(text, /canary|quick|brown|words|\?/i, path);
      // What the simulated models put before what they were told.
      assert.doesNotMatch(text, /Hello|You said/, path);
    }
  });
});

Deno.test("with logBodies the log has prompts and answers, and no credential in them", async () => {
  await using logged = await startLoggedRig({ logBodies: true });
  const jwt = await logged.rig.login("openai");
  const content = "What is sk-canary0123456789 and https://api.test/?key=canary-query?";
  for (const stream of [false, true]) {
    await logged.send("/v1/chat/completions", jwt, {
      model: "gpt-5.5",
      stream,
      messages: [{ role: "user", content }],
      metadata: { api_key: "canary-member" },
    });
  }
  await logged.log.flush();
  const bodies = (await logged.lines()).filter(({ kind }) => kind === "body");
  assert.deepEqual(bodies.map(({ of }) => of), ["request", "response", "request", "response"]);
  assert.deepEqual(
    bodies.map(({ request_id: id }) => id),
    logged.exchanges.flatMap(({ requestId }) => [requestId, requestId]),
  );
  for (const { text } of bodies) assert.doesNotMatch(String(text), /canary/);
  for (const { text, of } of bodies) {
    if (of === "request") assert.match(String(text), /What is \[removed\] and/);
  }
  assert.match(String(bodies[1]?.["text"]), /Hello from gpt-5.5! You said/);
  assert.match(String(bodies[3]?.["text"]), /"content":"Hello "/);
  assert.equal(bodies[3]?.["bytes"], new TextEncoder().encode(logged.exchanges[1]?.text).length);
});

/** The lines that an exchange must have, in their order. */
async function checkLines(exchange: Exchange, own: readonly Line[]): Promise<void> {
  const { method, path, status, token, ignored } = exchange;
  const told = `${method} ${path.slice(0, 30)} ${status}\n${JSON.stringify(own, null, 1)}`;
  const of = (kind: string) => own.filter((line) => line["kind"] === kind);
  assert.equal(own[0]?.["kind"], "request", told);
  assert.equal(own[0]?.["method"], method);
  assert.match(String(own[0]?.["address"]), /^(?:127\.0\.0\.1|198\.51\.100\.9|203\.0\.113\.4)$/);
  const [response, ...more] = of("response");
  assert.ok(response?.["status"] === status && more.length === 0, told);
  assert.equal(response["route"], own[0]?.["route"]);

  const failures = of("authentication_failed");
  assert.equal(failures.length, status === 401 ? 1 : 0, told);
  if (status === 401) {
    assert.equal(failures[0]?.["fingerprint"], token === undefined ? null : await fingerprint(token));
  }
  const limited = status === 429 && of("upstream_error").length === 0;
  assert.equal(of("rejected").length, limited ? 1 : 0, told);

  const asked = of("upstream_request");
  const answered = [...of("upstream_response"), ...of("upstream_error")].filter(({ purpose }) =>
    purpose === "call"
  );
  // Whoever left did not wait for an answer of the upstream.
  assert.ok(answered.length === asked.length || of("answer_ended")[0]?.["end"] === "cancelled", told);
  assert.ok(of("retry").length <= Math.max(0, asked.length - 1), told);
  const isCall = /\/(?:chat\/completions|responses|completions)/.test(path);
  if (isCall && status === 200) assert.equal(of("answer_ended").length, 1, told);
  if (ignored !== null && isCall) assert.match(String(of("adaptation")[0]?.["ignored"]), /\w/, told);
}
