/**
 * The error documents of xAI's API: flat, with a slug or a sentence as `code`; and what its web framework says about
 * bodies that it cannot read, as bare text.
 *
 * Source: facts page xai-grok, section 9.
 *
 * @module
 */
import type { Members } from "./members.ts";

/** The two bases that take the OAuth token: the CLI's proxy (subscription) and api.x.ai (API credits). */
export type GrokRail = "proxy" | "api";

/** `{"code","error"}` with `status`. */
export function grokError(
  status: number,
  code: string,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ code, error }, { status, headers });
}

/** 400 for a parameter that the request or the model does not allow. */
export function invalidArgument(error: string): Response {
  return grokError(400, INVALID_ARGUMENT, error);
}

/** 404 for a model that does not exist. */
export function unknownModel(model: unknown): Response {
  return grokError(404, INVALID_ARGUMENT, `model '${String(model)}' does not exist`);
}

/** 422 for a body that does not deserialize. */
export function undeserializable(where: string, what: string): Response {
  const at = where === "" ? "" : `${where}: `;
  return new Response(`Failed to deserialize the JSON body into the target type: ${at}${what}`, {
    status: 422,
  });
}

/** The access token is no longer, or never was, valid: 401 on the proxy, 403 on api.x.ai. */
export function badCredentials(rail: GrokRail): Response {
  return rail === "proxy"
    ? Response.json({ error: "Invalid or expired credentials (auth_kind=bearer)" }, { status: 401 })
    : grokError(403, "unauthenticated:bad-credentials", "The OAuth2 access token could not be validated.");
}

/** 403: no subscription, or its pool is used up. */
export function spendingLimit(): Response {
  return grokError(
    403,
    "personal-team-blocked:spending-limit",
    "You have run out of credits or need a Grok subscription. Add credits at https://grok.com/?_s=usage or upgrade " +
      "at https://grok.com/supergrok.",
  );
}

/** 429: the free pool is used up. There is no `Retry-After`. */
export function freeUsageExhausted(model: string, usedTokens: number, limitTokens: number): Response {
  return grokError(
    429,
    "subscription:free-usage-exhausted",
    `You've used all the included free usage for model ${model} for now. Usage resets over a rolling 24-hour window ` +
      `\u2014 tokens (actual/limit): ${usedTokens}/${limitTokens}.`,
  );
}

/** 403: the proxy's identity header is missing. */
export function chatDenied(): Response {
  return grokError(
    403,
    "permission-denied",
    "Access to the chat endpoint is denied. Please ensure you're using the correct credentials. If you believe this " +
      "is a mistake, please log into console.x.ai and update the permissions, or contact support.",
  );
}

/** 426: the client's version header is missing or too old. */
export function outdatedClient(version: string | null): Response {
  return Response.json({
    error: `Your Grok CLI version ${version ?? "(none)"} is outdated. Please update to version ` +
      "0.1.202 or later via `grok update` or the installation documentation.",
  }, { status: 426 });
}

/** The document of an overloaded service; it also comes with status 200. */
export const SERVICE_UNAVAILABLE: Members = Object.freeze({
  code: "The service is currently unavailable",
  error: "Service temporarily unavailable.",
});

/** The API's typical answer for a scripted status. */
export function typicalGrokFailure(rail: GrokRail, status: number): Response {
  switch (status) {
    case 400:
      return invalidArgument("Argument not supported on this model: scripted");
    case 401:
      return badCredentials("proxy");
    case 402:
      return new Response(spendingLimit().body, {
        status: 402,
        headers: { "content-type": "application/json" },
      });
    case 403:
      return rail === "api" ? badCredentials("api") : spendingLimit();
    case 404:
      return unknownModel("scripted");
    case 422:
      return undeserializable("", "scripted");
    case 426:
      return outdatedClient(null);
    case 429:
      return grokError(
        429,
        "resource-exhausted",
        "Too many requests for team 7ea00000-0000-4000-8000-000000000000 and model grok-4.5. Your team's rate limit " +
          "is \u2014 Requests per Minute (actual/limit): 61/60. Resets in: 30s",
        { "retry-after": "30", "x-should-retry": "true" },
      );
    default:
      return Response.json(SERVICE_UNAVAILABLE, { status });
  }
}

const INVALID_ARGUMENT = "Client specified an invalid argument";
