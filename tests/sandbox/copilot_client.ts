/**
 * A bare client of the simulated GitHub and Copilot for the tests here: plain `fetch`, no relay code.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { at } from "./sse_reader.ts";

/** The editor plugin's app, whose tokens may be exchanged. */
export const PLUGIN_APP = "Iv1.b507a08c87ecfe98";
/** An OAuth app whose tokens may not. */
export const OTHER_APP = "Ov23li8tweQw6odWQebz";
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** Posts JSON to github.com and asks for JSON. */
export function postSite(
  sandbox: Sandbox,
  path: string,
  body: Record<string, string>,
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(`${sandbox.origin}/github${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
    signal,
  });
}

/** Starts a device flow. */
export async function startDevice(
  sandbox: Sandbox,
  clientId = PLUGIN_APP,
): Promise<{ deviceCode: string; userCode: string; all: unknown }> {
  const response = await postSite(sandbox, "/login/device/code", { client_id: clientId, scope: "read:user" });
  assert.equal(response.status, 200);
  const all: unknown = await response.json();
  return { deviceCode: String(at(all, "device_code")), userCode: String(at(all, "user_code")), all };
}

/** Polls once. */
export function poll(
  sandbox: Sandbox,
  deviceCode: string,
  clientId: string = PLUGIN_APP,
  signal: AbortSignal | null = null,
): Promise<Response> {
  const body = { client_id: clientId, device_code: deviceCode, grant_type: DEVICE_GRANT };
  return postSite(sandbox, "/login/oauth/access_token", body, signal);
}

/** Signs a person in; resolves to the GitHub token. */
export async function signIn(sandbox: Sandbox, name: string, clientId = PLUGIN_APP): Promise<string> {
  const { deviceCode, userCode } = await startDevice(sandbox, clientId);
  assert.deepEqual(sandbox.control.approve(userCode, name), { kind: "done" });
  const answer: unknown = await (await poll(sandbox, deviceCode, clientId)).json();
  return String(at(answer, "access_token"));
}

/** Gets a path of api.github.com. */
export function getApi(sandbox: Sandbox, path: string, githubToken: string): Promise<Response> {
  return fetch(`${sandbox.origin}/github/api${path}`, { headers: { authorization: `token ${githubToken}` } });
}

/** An exchanged token and the base that it names. */
export interface CopilotAccess {
  readonly token: string;
  readonly base: string;
}

/** Signs a person in and exchanges the token. */
export async function access(sandbox: Sandbox, name: string): Promise<CopilotAccess> {
  const response = await getApi(sandbox, "/copilot_internal/v2/token", await signIn(sandbox, name));
  const answer: unknown = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return { token: String(at(answer, "token")), base: String(at(answer, "endpoints.api")) };
}

/** The headers of an editor. */
export function editorHeaders(token: string): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    "editor-version": "vscode/1.107.0",
    "copilot-integration-id": "vscode-chat",
  };
}

/** Calls a model. */
export function call(
  { token, base }: CopilotAccess,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(base + path, {
    method: "POST",
    headers: { ...editorHeaders(token), "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal,
  });
}
