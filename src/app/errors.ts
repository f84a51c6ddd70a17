/**
 * From our error codes to what a client sees: one total map.
 *
 * @module
 */
import type { Provider, UpstreamError } from "../provider/provider.ts";
import { openAiError } from "../wire/openai_error.ts";
import type { Caller } from "./caller.ts";
import type { NotFresh } from "./with_fresh_grant.ts";

/** Every error that the relay itself answers outside the sign-in routes. */
export type RelayErrorCode =
  | "invalid_json"
  | "invalid_request"
  | "payload_too_large"
  | "unsupported_content_encoding"
  | "not_found"
  | "request_timeout"
  | "file_not_found"
  | "unsupported_file"
  | "model_not_found"
  | "tools_disabled"
  | "web_page_not_allowed"
  | "proxied_request_not_allowed"
  | "upstream_auth_missing"
  | "upstream_auth_rejected"
  | "upstream_unreadable"
  | "internal_error";

const table: Readonly<Record<RelayErrorCode, { readonly status: number; readonly type: string }>> = Object
  .freeze({
    invalid_json: { status: 400, type: "invalid_request_error" },
    invalid_request: { status: 400, type: "invalid_request_error" },
    payload_too_large: { status: 413, type: "invalid_request_error" },
    unsupported_content_encoding: { status: 415, type: "invalid_request_error" },
    not_found: { status: 404, type: "invalid_request_error" },
    request_timeout: { status: 408, type: "invalid_request_error" },
    file_not_found: { status: 404, type: "invalid_request_error" },
    unsupported_file: { status: 400, type: "invalid_request_error" },
    model_not_found: { status: 404, type: "invalid_request_error" },
    tools_disabled: { status: 400, type: "invalid_request_error" },
    web_page_not_allowed: { status: 403, type: "permission_error" },
    proxied_request_not_allowed: { status: 403, type: "permission_error" },
    upstream_auth_missing: { status: 503, type: "authentication_error" },
    upstream_auth_rejected: { status: 503, type: "authentication_error" },
    upstream_unreadable: { status: 502, type: "server_error" },
    internal_error: { status: 500, type: "server_error" },
  });

/** The status of an error of ours. */
export function errorStatus(code: RelayErrorCode): number {
  return table[code].status;
}

/** An error of ours in OpenAI's envelope. `message` is a sentence of constants and safe fields. */
export function errorResponse(code: RelayErrorCode, message: string, param: string | null = null): Response {
  const { status, type } = table[code];
  return Response.json(openAiError({ message, type, param, code }), { status });
}

/**
 * A request that could not be translated or that its upstream would refuse, told before anything was sent. `code` is the
 * translator's own and more precise than ours.
 */
export function refusalResponse(refusal: { message: string; param: string | null; code: string }): Response {
  const { message, param, code } = refusal;
  return Response.json(openAiError({ message, type: "invalid_request_error", param, code }), { status: 400 });
}

/** An upstream's error with its status, message and code kept. */
export function upstreamErrorResponse(error: UpstreamError): Response {
  const { status, message, type, param, code, retryAfterSeconds } = error;
  const headers: Record<string, string> = retryAfterSeconds === undefined
    ? {}
    : { "retry-after": String(Math.max(1, Math.ceil(retryAfterSeconds))) };
  return Response.json(openAiError({ message, type, param, code }), { status, headers });
}

/** The answer to the relay's owner when nobody is signed in at the provider; without one, when nobody is anywhere. */
export function noLoginResponse(provider?: Provider): Response {
  return errorResponse(
    "upstream_auth_missing",
    provider === undefined
      ? "The owner of this relay is not signed in at any provider. Run: authai-relay login"
      : `The owner of this relay is not signed in at ${provider.displayName}. Run: authai-relay login ${provider.id}`,
  );
}

/** The answer to a model of a provider that the operator has switched off. */
export function notOfferedResponse(): Response {
  return errorResponse("model_not_found", "This relay does not offer the provider of this model.", "model");
}

/** Why a call was not sent, as an error: for the log, and for a stream that has begun. */
export function notFreshError(
  reason: NotFresh,
  { id, displayName }: Provider,
  caller: Pick<Caller, "kind">,
): UpstreamError {
  const [status, type, code, message] = reason.kind === "not_renewed"
    ? [
      503,
      "server_error",
      "provider_unavailable",
      `${displayName} did not renew this session's access. Try again in a moment; nobody was signed out.`,
    ] as const
    : caller.kind === "owner"
    // The owner's own credential is right: a 401 would send people looking for another relay token.
    ? [
      table.upstream_auth_rejected.status,
      table.upstream_auth_rejected.type,
      "upstream_auth_rejected",
      `${displayName} has ended the login of this relay's owner. Run: authai-relay login ${id}`,
    ] as const
    : [401, "authentication_error", "unauthorized", "The session has ended. Sign in again."] as const;
  return { status, type, code, param: null, message, accessRejected: false, transient: false };
}

/** The same as the response: a session that is over looks like every other failed authentication. */
export function notFreshResponse(
  reason: NotFresh,
  provider: Provider,
  caller: Pick<Caller, "kind">,
): Response {
  return reason.kind === "signed_out" && caller.kind === "session"
    ? unauthorizedResponse()
    : upstreamErrorResponse(notFreshError(reason, provider, caller));
}

/** The answer to what may be a web page, on a relay that asks for no credential. */
export function webPageResponse(): Response {
  return errorResponse(
    "web_page_not_allowed",
    "This relay asks for no credential and so answers no web pages. Name the page's origin in server.cors_origins, or use the relay token.",
  );
}

/** The answer to a request without a credential that a proxy has passed on, where none is asked for of local programs. */
export function proxiedResponse(): Response {
  return errorResponse(
    "proxied_request_not_allowed",
    "This relay asks for no credential and so answers local programs only, and nothing that a proxy passes on. Use the relay token, or set security.allow_remote_no_auth.",
  );
}

/** The contract's answer to a path under `/v1` that the relay does not have (design, section 4). */
export function unsupportedEndpointResponse(path: string): Response {
  return Response.json({
    error: { message: `Endpoint ${path} not supported by AuthAI`, type: "unsupported_endpoint" },
  }, { status: 400 });
}

/**
 * The answer to a WebSocket handshake. Codex CLI takes 426 as "use HTTP" and goes on at once; with other statuses it
 * either tries again for several seconds (401, 403, 404, 405, 501) or gives the turn up (400).
 */
export function webSocketRefusedResponse(path: string): Response {
  const { body, headers } = unsupportedEndpointResponse(path);
  // A 426 has to name what to use instead (RFC 9110 section 15.5.22).
  return new Response(body, {
    status: 426,
    headers: { ...Object.fromEntries(headers), connection: "upgrade", upgrade: "HTTP/1.1" },
  });
}

/**
 * The one answer to every authentication failure. Missing, malformed, forged, expired, revoked, wrong key, wrong
 * provider: the caller cannot tell which, so that probing teaches nothing. The log keeps the reason.
 */
export function unauthorizedResponse(): Response {
  return new Response('{"error":"unauthorized"}', {
    status: 401,
    headers: { "content-type": "application/json", "www-authenticate": "Bearer" },
  });
}

/** The error form of the sign-in routes: one readable sentence, which the sign-in dialogs show as it is. */
export function sentenceResponse(
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error: sentence }, { status, headers });
}
