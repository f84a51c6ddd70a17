/**
 * Failures that an upstream tells, or causes, after its 200: one total map from their codes to what a client is told,
 * for answers that are collected (true status) and for error events inside a stream.
 *
 * @module
 */
import type { OpenAiErrorFields, ToldError } from "../wire/openai_error.ts";

/** A failure as a client is told it. */
export interface StreamFailure extends OpenAiErrorFields {
  /** The HTTP status, for an answer that has not begun. */
  readonly status: number;
  /** Never null: a failure always has a word for programs. */
  readonly code: string;
  /** Seconds until a retry makes sense, when the upstream told. */
  readonly retryAfterSeconds?: number;
}

interface Meaning {
  readonly status: number;
  readonly type: string;
  /** Said when the upstream gave no message. */
  readonly message: string;
}

const INVALID: Meaning = meaning(400, "invalid_request_error", "The model provider refused the request.");
const POLICY: Meaning = meaning(
  400,
  "invalid_request_error",
  "The model provider refused the request because of its usage policies.",
);
const LIMIT: Meaning = meaning(
  429,
  "rate_limit_error",
  "The usage limit of the subscription has been reached. Try again later.",
);
const ENTITLEMENT: Meaning = meaning(
  403,
  "permission_error",
  "The subscription does not include this use of the model provider.",
);
const CREDENTIAL: Meaning = meaning(
  401,
  "authentication_error",
  "The model provider no longer accepts the sign-in. Sign in again.",
);
const OVERLOADED: Meaning = meaning(
  503,
  "server_error",
  "The model provider is overloaded. Try again later.",
);
const BROKEN: Meaning = meaning(502, "server_error", "The model provider failed to answer. Try again.");

/** Facts chatgpt-codex 4.3 and 5, xai-grok 9, github-copilot 12. */
const MEANINGS: Readonly<Record<string, Meaning>> = Object.freeze({
  context_length_exceeded: meaning(
    400,
    "invalid_request_error",
    "The input is longer than the context window of the model.",
  ),
  invalid_prompt: INVALID,
  invalid_request_error: INVALID,
  invalid_encrypted_content: INVALID,
  previous_response_not_found: INVALID,
  model_not_supported: INVALID,
  model_not_found: INVALID,
  data_residency_mismatch: INVALID,
  invalid_image: INVALID,
  invalid_image_format: INVALID,
  invalid_base64_image: INVALID,
  invalid_image_url: INVALID,
  invalid_image_mode: INVALID,
  image_too_large: INVALID,
  image_too_small: INVALID,
  image_parse_error: INVALID,
  image_file_too_large: INVALID,
  image_file_not_found: INVALID,
  unsupported_image_media_type: INVALID,
  empty_image_file: INVALID,
  failed_to_download_image: INVALID,
  cyber_policy: POLICY,
  bio_policy: POLICY,
  misalignment_policy_violation: POLICY,
  image_content_policy_violation: POLICY,
  content_filter: POLICY,
  rate_limit_exceeded: LIMIT,
  usage_limit_reached: LIMIT,
  insufficient_quota: LIMIT,
  quota_exceeded: LIMIT,
  "resource-exhausted": LIMIT,
  "subscription:free-usage-exhausted": LIMIT,
  rate_limit_error: LIMIT,
  rate_limited: LIMIT,
  user_model_rate_limited: LIMIT,
  user_global_rate_limited: LIMIT,
  user_weekly_rate_limited: LIMIT,
  integration_rate_limited: LIMIT,
  upstream_provider_rate_limit: LIMIT,
  agent_mode_limit_exceeded: LIMIT,
  usage_not_included: ENTITLEMENT,
  "personal-team-blocked:spending-limit": ENTITLEMENT,
  permission_error: ENTITLEMENT,
  "permission-denied": ENTITLEMENT,
  authentication_error: CREDENTIAL,
  token_invalid: CREDENTIAL,
  token_invalidated: CREDENTIAL,
  token_expired: CREDENTIAL,
  token_revoked: CREDENTIAL,
  "unauthenticated:bad-credentials": CREDENTIAL,
  server_is_overloaded: OVERLOADED,
  overloaded_error: OVERLOADED,
  model_overloaded: OVERLOADED,
  slow_down: OVERLOADED,
  server_error: BROKEN,
  vector_store_timeout: BROKEN,
  incomplete_stream: meaning(
    502,
    "server_error",
    "The model provider ended the stream before the answer was complete. Try again.",
  ),
  connection_lost: meaning(
    502,
    "server_error",
    "The connection to the model provider broke before the answer was complete. Try again.",
  ),
  upstream_silent: meaning(
    504,
    "server_error",
    "The model provider was silent for too long before the answer was complete. Try again.",
  ),
  unreadable_stream: meaning(502, "server_error", "The model provider sent a stream that cannot be read."),
  event_too_large: meaning(
    502,
    "server_error",
    "The model provider sent an event that is too large to relay.",
  ),
});

/** The codes of failures that no upstream told: they are found by reading its stream. */
export type OwnFailureCode =
  | "incomplete_stream"
  | "connection_lost"
  | "unreadable_stream"
  | "event_too_large"
  | "upstream_silent";

/** The failure for something that we found ourselves. */
export function ownFailure(code: OwnFailureCode): StreamFailure {
  return toldFailure({ message: null, type: null, param: null, code });
}

/**
 * The failure for an error that the upstream told. Total: an unknown code is judged by its family (a `:suffix` does not
 * count), then by the error's type, and is a fault of the upstream (502) otherwise. The upstream's code and message are
 * kept.
 */
export function toldFailure(error: ToldError): StreamFailure {
  const known = lookUp(error.code) ?? lookUp(error.type) ?? BROKEN;
  const retryAfterSeconds = error.code === "rate_limit_exceeded" ? waitIn(error.message) : undefined;
  return {
    status: known.status,
    type: known.type,
    code: error.code ?? error.type ?? "server_error",
    param: error.param,
    message: error.message ?? known.message,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

function lookUp(word: string | null): Meaning | undefined {
  if (word === null) return undefined;
  const [family = ""] = word.split(":", 1);
  if (Object.hasOwn(MEANINGS, word)) return MEANINGS[word];
  return Object.hasOwn(MEANINGS, family) ? MEANINGS[family] : undefined;
}

/** The wait that a rate limit's message names (facts chatgpt-codex 4.3), rounded up to whole seconds. */
function waitIn(message: string | null): number | undefined {
  const match = /try again in (\d+(?:\.\d+)?) ?(ms|s\b|seconds?)/i.exec(message ?? "");
  if (match === null) return undefined;
  const amount = Number(match[1]);
  return Math.ceil(match[2]?.toLowerCase() === "ms" ? amount / 1000 : amount);
}

function meaning(status: number, type: string, message: string): Meaning {
  return Object.freeze({ status, type, message });
}
