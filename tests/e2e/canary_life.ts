/**
 * The parts of a relay's life in which secrets could get lost: sign-ins that meet every trouble, calls whose upstream repeats
 * what it was sent, requests that carry a credential where none belongs.
 */
import assert from "node:assert/strict";
import type { ProviderId } from "../../src/provider/provider.ts";
import type { Fault, RecordedRequest } from "../../src/sandbox/contract.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { pollInterval, providerCases, relayClient, type StartedSignIn } from "./relay_process.ts";

/** What a life is led with. */
export interface Life {
  readonly sandbox: Sandbox;
  readonly relay: { readonly origin: string };
  readonly send: typeof fetch;
}

/** A session of it. */
export interface Session {
  readonly provider: ProviderId;
  readonly sessionId: string;
  readonly jwt: string;
}

/** What the fields of OAuth requests that hold a secret are called here. */
export const secretFields: Readonly<Record<string, string>> = {
  device_code: "device code",
  device_auth_id: "device code",
  code: "authorization code",
  code_verifier: "PKCE verifier",
  refresh_token: "refresh token",
  token: "refresh token",
};

/** The fields of a form or a JSON body. */
export function fieldsOf({ body, headers }: RecordedRequest): readonly (readonly [string, string])[] {
  if ((headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")) {
    return [...new URLSearchParams(body)];
  }
  if (!body.startsWith("{")) return [];
  return Object.entries(JSON.parse(body)).map(([name, value]) => [name, String(value)]);
}

/** Four sign-ins of one provider: completed over hiccups, broken by the provider, denied, and left alone. */
export async function signInWithHiccups(life: Life, provider: ProviderId): Promise<Session> {
  const { sandbox, relay, send } = life;
  const { upstream } = providerCases[provider];
  const client = relayClient(relay.origin, send);
  scriptStatus(life, upstream, "device", 500, "Bearer abc");
  const refused = await send(`${relay.origin}/auth/start`, postOf({ provider }));
  assert.equal(refused.status, 502);
  const good = await client.start(provider);
  const bad = await client.start(provider);
  const denied = await client.start(provider);
  await client.start(provider);
  const pollLater = async ({ sessionId, pollIntervalMs }: StartedSignIn) => {
    await pollInterval(pollIntervalMs);
    return await client.poll(sessionId);
  };

  assert.equal((await pollLater(good)).status, "pending");
  scriptStatus(life, upstream, "poll", 503, secretsOfLast(life, upstream, "poll"));
  assert.equal((await pollLater(good)).status, "pending");
  approve(sandbox, good);
  for (const on of stepsAfterPoll[provider]) {
    // The first hiccup of a step shows the secrets that it sends, the second one repeats them.
    scriptStatus(life, upstream, on, 502, "");
    assert.equal((await pollLater(good)).status, "pending");
    scriptStatus(life, upstream, on, 500, secretsOfLast(life, upstream, on));
    assert.equal((await pollLater(good)).status, "pending");
  }
  const { status, jwt = "" } = await pollLater(good);
  assert.equal(status, "complete");

  approve(sandbox, bad);
  const last = provider === "openai" ? "exchange" : "poll";
  scriptStatus(life, upstream, last, 502, "");
  assert.equal((await pollLater(bad)).status, "pending");
  scriptStatus(life, upstream, last, 400, secretsOfLast(life, upstream, last));
  assert.equal((await pollLater(bad)).status, "error");
  sandbox.control.deny(denied.userCode);
  assert.equal((await client.poll(denied.sessionId)).status, "error");
  assert.deepEqual(sandbox.control.faults().filter((fault) => fault.upstream === upstream), []);
  return { provider, sessionId: good.sessionId, jwt };
}

const stepsAfterPoll: Readonly<Record<ProviderId, readonly Fault["on"][]>> = {
  openai: ["exchange"],
  xai: [],
  github: ["user", "exchange"],
};

/** Calls in both dialects, streamed and not: undisturbed, and with every fault, whose words repeat what was sent. */
export async function useModels(life: Life, { provider, jwt }: Session): Promise<void> {
  const { sandbox, relay, send } = life;
  const { upstream, model } = providerCases[provider];
  const responsesModel = provider === "github" ? "gpt-5.3-codex" : model;
  const bodies = [false, true].flatMap((stream) =>
    [
      ["/v1/chat/completions", { model, stream, messages: [{ role: "user", content: "Count to 9" }] }],
      ["/v1/responses", { model: responsesModel, stream, input: "Count to 9" }],
    ] as const
  );
  const call = ([path, body]: typeof bodies[number]) => send(`${relay.origin}${path}`, postOf(body, jwt));
  assert.equal((await send(`${relay.origin}/v1/models`, { headers: bearer(jwt) })).status, 200);
  for (const body of bodies) assert.equal((await call(body)).status, 200);
  for (const body of bodies) {
    for (const kind of callFaults(secretsOfLast(life, upstream, "call"))) {
      sandbox.control.addFault({ upstream, on: "call", kind });
      await call(body);
      assert.deepEqual(sandbox.control.faults(), []);
    }
  }
}

/** Faults whose every member that has room repeats `secrets`. */
function callFaults(secrets: string): readonly Fault["kind"][] {
  const error = { message: `You sent ${secrets}`, code: secrets, type: secrets, param: secrets };
  const headers = {
    "content-type": "application/json",
    "retry-after": secrets,
    "set-cookie": `session=${secrets}`,
    "www-authenticate": `Bearer error="${secrets}"`,
    "x-request-id": secrets,
  };
  return [
    ...[400, 403, 404, 429, 500, 503].map((status) =>
      ({ type: "status", status, body: JSON.stringify({ error }), headers }) as const
    ),
    ...[JSON.stringify({ error: secrets }), JSON.stringify({ detail: secrets }), JSON.stringify(secrets)].map(
      (
        body,
      ) => ({ type: "status", status: 400, body, headers }) as const,
    ),
    { type: "status", status: 400, body: secrets, headers: { "content-type": "text/plain" } },
    { type: "status", status: 200, body: JSON.stringify({ error }), headers },
    ...[
      { ...error, type: "error" },
      { type: "error", error },
      { type: "response.failed", response: { id: "resp_1", object: "response", status: "failed", error } },
      { error },
    ].map((event) => ({
      type: "status",
      status: 200,
      body: `data: ${JSON.stringify(event)}\n\n`,
      headers: { ...headers, "content-type": "text/event-stream" },
    } as const)),
    { type: "challenge" },
    { type: "drop" },
    { type: "overloaded_in_stream" },
    { type: "json_error_in_200" },
    ...([
      "stream_failed",
      "stream_incomplete",
      "stream_error_event",
      "stream_cut",
      "stream_eof",
      "stream_garbage",
    ] as const).map((type) => ({ type, afterPieces: 2 })),
  ];
}

/** Refreshes that succeed, and one that meets a hiccup which repeats the refresh token. */
export async function renew(life: Life, { provider, jwt }: Session): Promise<void> {
  const { upstream, model } = providerCases[provider];
  const client = relayClient(life.relay.origin, life.send);
  for (let round = 0; round < 2; round++) {
    scriptStatus(life, upstream, "call", 401, secretsOfLast(life, upstream, "call"));
    assert.match(await client.chat(jwt, model), /^Hello/);
  }
  scriptStatus(life, upstream, "call", 401, "");
  scriptStatus(life, upstream, "refresh", 500, secretsOfLast(life, upstream, "refresh"));
  const body = { model, messages: [{ role: "user", content: "Hello" }] };
  const delayed = await life.send(`${life.relay.origin}/v1/chat/completions`, postOf(body, jwt));
  assert.equal(delayed.status, 503);
  assert.match(await client.chat(jwt, model), /^Hello/);
}

/** Requests that carry the session's secrets where nothing looks for them. None of them may be told back. */
export async function misplaceSecrets(
  { relay, send }: Life,
  { provider, jwt, sessionId }: Session,
): Promise<void> {
  const { model } = providerCases[provider];
  const messages = [{ role: "user", content: "Hello" }];
  const anywhere = [jwt, sessionId].flatMap((secret): [string, RequestInit][] => {
    const headers = { ...bearer(jwt), cookie: secret, "x-secret": secret, origin: `http://${secret}.test` };
    return [
      [`/?${secret}`, { headers }],
      [`/sign-in?jwt=${secret}`, { headers }],
      [`/${secret}`, { headers }],
      [`/${secret}`, { method: "POST", body: secret }],
      [`/auth/${secret}`, {}],
      [`/auth/poll/${secret}x`, {}],
      [`/auth/whoami?token=${secret}`, {}],
      [`/auth/whoami`, { headers: bearer(`${secret}x`) }],
      [`/auth/whoami`, { headers: { authorization: `Basic ${secret}` } }],
      [`/auth/start`, postOf({ provider: secret })],
      [`/auth/start`, { method: "POST", body: `{"provider":"${secret}` }],
      [`/v1/${secret}`, {}],
      [`/v1/models?${secret}=${secret}`, { headers }],
      [`/v1/models/${secret}`, { headers }],
      [`/v1/chat/completions`, { ...postOf({}, jwt), body: `{"model":"${secret}` }],
      [`/v1/chat/completions`, postOf({ model, messages: secret }, jwt)],
      [`/v1/chat/completions`, postOf({ model, messages, stream: secret }, jwt)],
    ];
  });
  // A refused value may be told to who sent it, as OpenAI does; but not when it looks like a credential.
  const refused: [string, Record<string, unknown>][] = [
    ["chat/completions", { model: jwt, messages }],
    ["chat/completions", { model, messages, [jwt]: jwt }],
    ["chat/completions", { model, messages: [{ role: jwt, content: "Hello" }] }],
    ["chat/completions", { model, messages: [{ role: "user", content: [{ type: jwt }] }] }],
    ["chat/completions", { model, messages, tools: [{ type: jwt }] }],
    ["chat/completions", { model, messages, tool_choice: jwt, n: jwt }],
    ["chat/completions", { model, messages, response_format: { type: jwt } }],
    ["responses", { model, input: [{ type: jwt }] }],
    ["responses", { model, input: "Hello", previous_response_id: jwt }],
    ["responses", { model, input: "Hello", include: [jwt], [jwt]: 1 }],
  ];
  const requests = [
    ...anywhere,
    ...refused.map(([path, body]) => [`/v1/${path}`, postOf(body, jwt)] as const),
  ];
  for (const [path, init] of requests) await send(`${relay.origin}${path}`, init);
}

/** Ends a session while the provider misbehaves, and makes sure that it has ended. */
export async function signOut(life: Life, { provider, jwt, sessionId }: Session): Promise<void> {
  const { relay, send } = life;
  const { upstream } = providerCases[provider];
  // GitHub has no way to revoke.
  if (upstream !== "copilot") {
    scriptStatus(life, upstream, "revoke", 500, secretsOfLast(life, upstream, "refresh"));
  }
  const revoked = await send(`${relay.origin}/auth/revoke`, { method: "POST", headers: bearer(jwt) });
  assert.equal(revoked.status, 204);
  assert.deepEqual(life.sandbox.control.faults(), []);
  assert.equal((await relayClient(relay.origin, send).poll(sessionId)).status, "expired");
  assert.equal((await send(`${relay.origin}/auth/whoami`, { headers: bearer(jwt) })).status, 401);
}

/** Scripts a refusal whose body repeats `secrets` in every member. */
function scriptStatus(
  { sandbox }: Life,
  upstream: Fault["upstream"],
  on: Fault["on"],
  status: number,
  secrets: string,
): void {
  const body = JSON.stringify({
    error: secrets,
    error_description: `Bearer ${secrets}`,
    message: secrets,
    code: secrets,
  });
  sandbox.control.addFault({ upstream, on, kind: { type: "status", status, body } });
}

/** The secrets that the last request of a step carried, with words that make them look like a sentence's. */
function secretsOfLast({ sandbox }: Life, upstream: Fault["upstream"], on: Fault["on"]): string {
  const last = sandbox.control.requests({ upstream, on }).at(-1);
  assert.ok(last !== undefined);
  const secrets = fieldsOf(last).filter(([name]) => name in secretFields).map(([, value]) => value);
  const { authorization } = last.headers;
  assert.ok(secrets.length > 0 || authorization !== undefined);
  return [...secrets, ...(authorization === undefined ? [] : [authorization])].join(" ");
}

/** The person says yes. */
export function approve(sandbox: Sandbox, { userCode }: StartedSignIn): void {
  assert.deepEqual(sandbox.control.approve(userCode, "ada"), { kind: "done" });
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

function postOf(body: unknown, jwt?: string): RequestInit {
  return { method: "POST", body: JSON.stringify(body), headers: jwt === undefined ? {} : bearer(jwt) };
}
