/**
 * What the relay has done since it started, in numbers.
 *
 * @module
 */
import type { Observe, TrafficEvent } from "./observe.ts";

/** Tokens of answers, as far as the upstreams told them. */
export interface TokenCounts {
  readonly input: number;
  /** The part of `input` that came from prompt caches. */
  readonly cached: number;
  /** Includes `reasoning`. */
  readonly output: number;
  readonly reasoning: number;
}

/** What one provider did. */
export interface ProviderCounts {
  /** Model calls whose answer is over, however it ended. */
  readonly answers: number;
  /** Refusals, and requests that did not reach it; for calls, lists of models and quotas. */
  readonly errors: number;
  readonly tokens: TokenCounts;
}

/** The numbers. */
export interface TrafficCounts {
  /** Since when it is counted, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** All requests but probes of health. */
  readonly requests: number;
  /** Responses that have begun, by the class of their status. */
  readonly responses: Readonly<Record<"1xx" | "2xx" | "3xx" | "4xx" | "5xx", number>>;
  /** Credentials that were refused. */
  readonly failedAuthentications: number;
  /** Requests that a limit refused. */
  readonly rejected: number;
  /** Calls that were sent again. */
  readonly retries: number;
  /** Ends of answers. */
  readonly ends: Readonly<Record<"completed" | "failed" | "cut" | "cancelled", number>>;
  readonly faults: number;
  /** Of all providers together. */
  readonly tokens: TokenCounts;
  /** By id; those that were asked. */
  readonly providers: Readonly<Record<string, ProviderCounts>>;
}

/** Counts events. */
export interface TrafficCounter {
  readonly observe: Observe;
  /** The numbers at this moment. */
  read(): TrafficCounts;
}

/** Starts to count at `nowMs`. */
export function createTrafficCounter(nowMs: number): TrafficCounter {
  const counts = {
    requests: 0,
    responses: { "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0 },
    failedAuthentications: 0,
    rejected: 0,
    retries: 0,
    ends: { completed: 0, failed: 0, cut: 0, cancelled: 0 },
    faults: 0,
  };
  const tokens = noTokens();
  const providers = new Map<string, { answers: number; errors: number; tokens: Writable<TokenCounts> }>();

  function provider(id: string): { answers: number; errors: number; tokens: Writable<TokenCounts> } {
    let found = providers.get(id);
    if (found === undefined) {
      found = { answers: 0, errors: 0, tokens: noTokens() };
      providers.set(id, found);
    }
    return found;
  }

  return {
    observe(event) {
      switch (event.kind) {
        case "request":
          counts.requests++;
          break;
        case "response":
          counts.responses[statusClass(event.status)]++;
          break;
        case "authentication_failed":
          counts.failedAuthentications++;
          break;
        case "rejected":
          counts.rejected++;
          break;
        case "retry":
          counts.retries++;
          break;
        case "upstream_error":
          provider(event.provider).errors++;
          break;
        case "answer_ended":
          counts.ends[event.end]++;
          provider(event.provider).answers++;
          addTokens(tokens, event);
          addTokens(provider(event.provider).tokens, event);
          break;
        case "fault":
          counts.faults++;
          break;
      }
    },
    read: () =>
      structuredClone({ sinceMs: nowMs, ...counts, tokens, providers: Object.fromEntries(providers) }),
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function noTokens(): Writable<TokenCounts> {
  return { input: 0, cached: 0, output: 0, reasoning: 0 };
}

function addTokens(sum: Writable<TokenCounts>, event: Extract<TrafficEvent, { kind: "answer_ended" }>): void {
  sum.input += event.inputTokens ?? 0;
  sum.cached += event.cachedTokens ?? 0;
  sum.output += event.outputTokens ?? 0;
  sum.reasoning += event.reasoningTokens ?? 0;
}

function statusClass(status: number): keyof TrafficCounts["responses"] {
  if (status < 200) return "1xx";
  if (status < 300) return "2xx";
  if (status < 400) return "3xx";
  return status < 500 ? "4xx" : "5xx";
}
