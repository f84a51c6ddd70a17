/**
 * The refusals of the simulated Copilot API: JSON that is often labelled `text/plain`, or bare text that ends in a
 * newline.
 *
 * Source: facts page github-copilot, sections 4, 5 and 12.
 *
 * @module
 */

/** `{"error":{...}}` labelled as text, as the gateway does. */
export function copilotError(
  status: number,
  error: Readonly<Record<string, string | null>>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify({ error }) + "\n", {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

/** Bare text and a newline. */
export function copilotText(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}

/** 400: a body that the model's provider refuses. */
export function invalidBody(message: string, param: string | null = null): Response {
  return copilotError(400, { message, code: "invalid_request_body", param, type: "invalid_request_error" });
}

/** 400: unknown, disabled by policy, or not in the plan. */
export function modelNotSupported(): Response {
  return copilotError(400, {
    message: "The requested model is not supported.",
    code: "model_not_supported",
    param: "model",
    type: "invalid_request_error",
  });
}

/** 400: the model lives at another endpoint. */
export function unsupportedApi(model: string, endpoint: string): Response {
  return copilotError(400, {
    message: `model "${model}" is not accessible via the ${endpoint} endpoint`,
    code: "unsupported_api_for_model",
  });
}

/** 401: the exchanged token has expired. */
export function tokenExpired(): Response {
  return copilotText(401, "IDE token expired: unauthorized: token expired");
}

/** 403: no client identity, or throttled. */
export function endpointForbidden(): Response {
  return copilotText(
    403,
    "Access to this endpoint is forbidden. Please review our [Terms of Service]" +
      "(https://docs.github.com/en/site-policy/github-terms/github-terms-of-service).",
  );
}

/** 403: the seat does not allow it. */
export function notAuthorized(): Response {
  return copilotText(403, "unauthorized: not authorized to use this Copilot feature");
}

/** 402: the month's quota is used up; `resetMs` is when it starts anew, told as an HTTP date. */
export function quotaExceeded(code: "quota_exceeded" | "free_quota_exceeded", resetMs: number): Response {
  return copilotError(402, { message: "You have no quota", code }, {
    "retry-after": new Date(resetMs).toUTCString(),
  });
}

/** 429: the week's limit is reached; told in seconds, and they are many. */
export function weeklyLimited(): Response {
  return copilotError(429, {
    message: "Sorry, you've exceeded your weekly rate limit. Please review our Terms of Service.",
    code: "user_weekly_rate_limited",
  }, { "retry-after": String(51 * 3600), "x-ratelimit-exceeded": "user_weekly_rate_limited" });
}

/** An error as it comes inside of a stream. */
export const MODEL_OVERLOADED: Readonly<Record<"code" | "message", string>> = Object.freeze({
  code: "model_overloaded",
  message: "The model is overloaded. Please try again later.",
});

/** The API's typical answer for a scripted status. */
export function typicalCopilotFailure(status: number, nowMs: number): Response {
  switch (status) {
    case 400:
      return invalidBody("The request was refused.");
    case 401:
      return tokenExpired();
    case 402:
      return quotaExceeded("quota_exceeded", nowMs + 3600_000);
    case 403:
      return endpointForbidden();
    case 404:
      return copilotText(404, "404 page not found");
    case 421:
      return copilotText(421, "Misdirected Request");
    case 422:
      return copilotError(422, { message: "The response was filtered.", code: "content_filter" });
    case 429:
      return copilotError(429, {
        message: "Sorry, you have been rate-limited. Please wait a moment before trying again.",
        code: "user_global_rate_limited",
      }, { "retry-after": "30", "x-ratelimit-exceeded": "user_global_rate_limited" });
    case 503:
      return copilotError(503, {
        message: "The upstream provider is rate limiting requests.",
        code: "upstream_provider_rate_limit",
      });
    default:
      return copilotText(status, "Internal Server Error");
  }
}
