/**
 * A bare client of the simulated xAI for the tests here: plain `fetch`, no relay code.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { at } from "./sse_reader.ts";

/** The public client id. */
export const CLIENT_ID = "b1a00492-073a-47ea-816f-4c329264a828";
const SCOPE = "openid profile email offline_access grok-cli:access api:access";
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** Posts a form to the authorization server. */
export function postForm(
  sandbox: Sandbox,
  path: string,
  fields: Record<string, string>,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${sandbox.origin}/xai/auth${path}`, {
    method: "POST",
    body: new URLSearchParams(fields),
    signal: signal ?? null,
  });
}

/** Starts a device authorization. */
export async function startDevice(
  sandbox: Sandbox,
): Promise<{ deviceCode: string; userCode: string; all: unknown }> {
  const response = await postForm(sandbox, "/oauth2/device/code", { client_id: CLIENT_ID, scope: SCOPE });
  assert.equal(response.status, 200);
  const all: unknown = await response.json();
  return { deviceCode: String(at(all, "device_code")), userCode: String(at(all, "user_code")), all };
}

/** Polls once. */
export function poll(sandbox: Sandbox, deviceCode: string, signal?: AbortSignal): Promise<Response> {
  const fields = { grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: CLIENT_ID };
  return postForm(sandbox, "/oauth2/token", fields, signal);
}

/** What a token answer carries. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly all: unknown;
}

/** Signs a person in. */
export async function signIn(sandbox: Sandbox, name: string): Promise<Tokens> {
  const { deviceCode, userCode } = await startDevice(sandbox);
  assert.deepEqual(sandbox.control.approve(userCode, name), { kind: "done" });
  return await readTokens(await poll(sandbox, deviceCode));
}

/** Refreshes once; the answer is not judged. */
export function refresh(sandbox: Sandbox, refreshToken: string): Promise<Response> {
  const fields = { grant_type: "refresh_token", refresh_token: refreshToken, client_id: CLIENT_ID };
  return postForm(sandbox, "/oauth2/token", fields);
}

/** Reads a token answer that has to be good. */
export async function readTokens(response: Response): Promise<Tokens> {
  const all: unknown = await response.json();
  assert.equal(response.status, 200, JSON.stringify(all));
  return {
    accessToken: String(at(all, "access_token")),
    refreshToken: String(at(all, "refresh_token")),
    all,
  };
}

/** The headers that the proxy rail wants. */
export function proxyHeaders(accessToken: string): Record<string, string> {
  return {
    authorization: `Bearer ${accessToken}`,
    "x-xai-token-auth": "xai-grok-cli",
    "x-grok-client-version": "0.2.120",
  };
}

/** Calls the proxy rail with a JSON body. */
export function call(
  sandbox: Sandbox,
  accessToken: string,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${sandbox.origin}/xai/v1${path}`, {
    method: "POST",
    headers: { ...proxyHeaders(accessToken), "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
}
