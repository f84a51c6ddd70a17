/**
 * A bare client of the simulated ChatGPT for the tests here: plain `fetch`, no relay code.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";

/** The public client id. */
export const CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";

/** The JSON of an answer; the test says what it expects in it. */
export type Document = { readonly [name: string]: unknown };

/** What a sign-in yields. */
export interface SignedIn {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: string;
  readonly accountId: string;
}

/** Posts JSON. */
export function postJson(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

/** Reads an answer as a JSON object. */
export async function readDocument(response: Response): Promise<Document> {
  const value: unknown = await response.json();
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value));
  return Object.fromEntries(Object.entries(value));
}

/** Asks for a user code. */
export async function askUserCode(
  sandbox: Sandbox,
): Promise<{ id: string; userCode: string; all: Document }> {
  const url = `${sandbox.origin}/openai/auth/api/accounts/deviceauth/usercode`;
  const response = await postJson(url, { client_id: CLIENT_ID });
  assert.equal(response.status, 200);
  const all = await readDocument(response);
  return { id: String(all["device_auth_id"]), userCode: String(all["user_code"]), all };
}

/** Polls once. */
export function poll(
  sandbox: Sandbox,
  id: string,
  userCode: string,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${sandbox.origin}/openai/auth/api/accounts/deviceauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ device_auth_id: id, user_code: userCode }),
    signal: signal ?? null,
  });
}

/** Sends the form of the exchange; `changed` replaces fields. */
export function exchange(
  sandbox: Sandbox,
  grant: Document,
  changed: Record<string, string> = {},
): Promise<Response> {
  const form = new URLSearchParams({
    grant_type: "authorization_code",
    code: String(grant["authorization_code"]),
    redirect_uri: `${sandbox.origin}/openai/auth/deviceauth/callback`,
    client_id: CLIENT_ID,
    code_verifier: String(grant["code_verifier"]),
    ...changed,
  });
  return fetch(`${sandbox.origin}/openai/auth/oauth/token`, { method: "POST", body: form });
}

/** The whole sign-in of a named person. */
export async function signIn(sandbox: Sandbox, user = "ada"): Promise<SignedIn> {
  const { id, userCode } = await askUserCode(sandbox);
  assert.deepEqual(sandbox.control.approve(userCode, user), { kind: "done" });
  const grant = await readDocument(await poll(sandbox, id, userCode));
  const response = await exchange(sandbox, grant);
  assert.equal(response.status, 200);
  const tokens = await readDocument(response);
  const accessToken = String(tokens["access_token"]);
  return {
    accessToken,
    refreshToken: String(tokens["refresh_token"]),
    idToken: String(tokens["id_token"]),
    accountId: String(authClaims(accessToken)["chatgpt_account_id"]),
  };
}

/** The namespaced claims of a token. */
export function authClaims(token: string): Document {
  const value = claims(token)["https://api.openai.com/auth"];
  assert.ok(typeof value === "object" && value !== null);
  return Object.fromEntries(Object.entries(value));
}

/** The payload of a token. */
export function claims(token: string): Document {
  const payload = Uint8Array.fromBase64(token.split(".")[1] ?? "", { alphabet: "base64url" });
  const value: unknown = JSON.parse(new TextDecoder().decode(payload));
  assert.ok(typeof value === "object" && value !== null);
  return Object.fromEntries(Object.entries(value));
}

/** The headers of an API call. */
export function apiHeaders(person: SignedIn): Record<string, string> {
  return { authorization: `Bearer ${person.accessToken}`, "chatgpt-account-id": person.accountId };
}

/** A body that the Codex endpoint takes; `changed` replaces or, with undefined, removes members. */
export function codexBody(text: string, changed: Record<string, unknown> = {}): Document {
  return {
    model: "gpt-5.5",
    instructions: "Be brief.",
    input: [{ type: "message", role: "user", content: [{ type: "input_text", text }] }],
    store: false,
    stream: true,
    ...changed,
  };
}

/** Calls the Codex endpoint. */
export function callCodex(
  sandbox: Sandbox,
  person: SignedIn,
  body: Document,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${sandbox.origin}/openai/backend-api/codex/responses`, {
    method: "POST",
    headers: { ...apiHeaders(person), "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
}

/** The events of a whole stream: the JSON of each frame. Fails on anything but LF framing with matching `event:` lines. */
export function readEvents(text: string): Document[] {
  assert.ok(text.endsWith("\n\n"), "the stream ends in the middle of a frame");
  return text.slice(0, -2).split("\n\n").map((frame) => {
    const [, type, data] = /^event: (\S+)\ndata: (\{.*\})$/.exec(frame) ?? [];
    assert.ok(type !== undefined && data !== undefined, `no frame: ${frame.slice(0, 80)}`);
    const event: unknown = JSON.parse(data);
    assert.ok(typeof event === "object" && event !== null);
    const document = Object.fromEntries(Object.entries(event));
    assert.equal(document["type"], type);
    return document;
  });
}

/** Runs a test against a fresh sandbox that demands no pause between polls. */
export async function withSandbox(
  test: (sandbox: Sandbox) => Promise<void>,
  options: SandboxOptions = {},
): Promise<void> {
  const sandbox = await startSandbox({ pollIntervalSeconds: 0, ...options });
  try {
    await test(sandbox);
  } finally {
    await sandbox.shutdown();
  }
}
