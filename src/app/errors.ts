/**
 * From our error codes to what a client sees: one total map.
 *
 * @module
 */
import type { UpstreamError } from "../provider/provider.ts";
import { openAiError } from "../wire/openai_error.ts";

/** Every error that the relay itself answers outside the sign-in routes. */
export type RelayErrorCode =
  | "invalid_json"
  | "invalid_request"
  | "payload_too_large"
  | "not_found"
  | "model_not_found"
  | "provider_unavailable"
  | "upstream_not_streaming"
  | "upstream_unreadable"
  | "internal_error";

const table: Readonly<Record<RelayErrorCode, { readonly status: number; readonly type: string }>> = Object
  .freeze({
    invalid_json: { status: 400, type: "invalid_request_error" },
    invalid_request: { status: 400, type: "invalid_request_error" },
    payload_too_large: { status: 413, type: "invalid_request_error" },
    not_found: { status: 404, type: "invalid_request_error" },
    model_not_found: { status: 404, type: "invalid_request_error" },
    provider_unavailable: { status: 503, type: "server_error" },
    upstream_not_streaming: { status: 502, type: "server_error" },
    upstream_unreadable: { status: 502, type: "server_error" },
    internal_error: { status: 500, type: "server_error" },
  });

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

/** The contract's answer to a path under `/v1` that the relay does not have (design, section 4). */
export function unsupportedEndpointResponse(path: string): Response {
  return Response.json({
    error: { message: `Endpoint ${path} not supported by AuthAI`, type: "unsupported_endpoint" },
  }, { status: 400 });
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
export function sentenceResponse(status: 400 | 404 | 502 | 503, sentence: string): Response {
  return Response.json({ error: sentence }, { status });
}
