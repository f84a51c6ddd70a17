/**
 * The relay that may be running on this machine with the same settings.
 *
 * @module
 */
import { isObject, type JsonObject, nonEmptyString } from "../wire/json.ts";
import { originOf } from "./server.ts";

/** What answers where the relay would listen. */
export type FoundRelay =
  | { readonly kind: "relay"; readonly origin: string; readonly version: string }
  /** Something answers, and it is no relay. */
  | { readonly kind: "stranger"; readonly origin: string }
  | { readonly kind: "none"; readonly origin: string };

/** What a relay says to its owner. */
export type RelayStatus =
  | { readonly kind: "status"; readonly status: JsonObject }
  /** It does not take the token. */
  | { readonly kind: "unauthorized" }
  /** It takes no more requests from this address for a while. */
  | { readonly kind: "limited"; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: "failed"; readonly status: number | undefined };

/** A process on this machine answers at once, or is not well. */
const timeoutMs = 3_000;

/** Where a relay with these settings can be reached from this machine. */
export function relayOrigin({ host, port }: { readonly host: string; readonly port: number }): string {
  return originOf({ hostname: host, port });
}

/** Asks who is there. */
export async function findRelay(origin: string): Promise<FoundRelay> {
  const answer = await ask(`${origin}/healthz`, {});
  if (answer === undefined) return { kind: "none", origin };
  const { body } = answer;
  const version = nonEmptyString(body?.["version"]);
  return body?.["service"] === "authai-relay" && version !== undefined
    ? { kind: "relay", origin, version }
    : { kind: "stranger", origin };
}

/** Asks a relay for its status. `token` is undefined where the relay asks for none. */
export async function askStatus(origin: string, token: string | undefined): Promise<RelayStatus> {
  const answer = await ask(
    `${origin}/v1/relay/status`,
    token === undefined ? {} : { authorization: `Bearer ${token}` },
  );
  if (answer?.status === 200 && answer.body !== undefined) return { kind: "status", status: answer.body };
  if (answer?.status === 401) return { kind: "unauthorized" };
  if (answer?.status === 429) return { kind: "limited", retryAfterSeconds: answer.retryAfterSeconds };
  return { kind: "failed", status: answer?.status };
}

interface Answer {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  /** Undefined unless it is a JSON object. */
  readonly body: JsonObject | undefined;
}

/** Undefined when nobody answers HTTP. */
async function ask(url: string, headers: Record<string, string>): Promise<Answer | undefined> {
  try {
    const response = await fetch(url, {
      headers,
      // A token goes to the relay and not to where somebody else on that port sends us.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await response.json().catch(() => undefined);
    const retryAfter = response.headers.get("retry-after");
    return {
      status: response.status,
      retryAfterSeconds: retryAfter === null ? undefined : Number(retryAfter),
      body: isObject(body) ? body : undefined,
    };
  } catch {
    return undefined;
  }
}
