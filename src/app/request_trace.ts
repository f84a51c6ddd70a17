/**
 * What happens on the way of one request, for the traffic log.
 *
 * @module
 */
import type { ProviderId, UpstreamError } from "../provider/provider.ts";
import type { Observe, UpstreamPurpose } from "../traffic/observe.ts";
import type { TokenUsage } from "../wire/token_usage.ts";

/** What a line of the log is written with. */
export interface RequestTrace {
  readonly requestId: string;
  readonly observe: Observe;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Asks an upstream, and tells the log how it answered. Without a trace the log is told nothing. A rejection is the caller's
 * leaving or a bug, and goes through: no upstream has answered.
 */
export async function askUpstream<T extends { readonly kind: string; readonly error?: UpstreamError }>(
  trace: RequestTrace | undefined,
  purpose: UpstreamPurpose,
  provider: ProviderId,
  ask: () => Promise<T>,
): Promise<T> {
  if (trace === undefined) return await ask();
  const { requestId, observe, now } = trace;
  const askedAtMs = now();
  const outcome = await ask();
  const about = { requestId, provider, purpose, durationMs: now() - askedAtMs } as const;
  if (outcome.error === undefined) {
    observe({ kind: "upstream_response", ...about });
  } else {
    const { status, code } = outcome.error;
    observe({ kind: "upstream_error", status, code, ...about });
  }
  return outcome;
}

/** How an answer ended. */
export interface AnswerEnd {
  readonly end: "completed" | "failed" | "cut" | "cancelled";
  /** The code of what went wrong, where there is one. */
  readonly reason?: string | null | undefined;
  readonly usage?: TokenUsage | undefined;
}

/** Tells the log how the answer of a call ended. To be called once. */
export type ReportEnd = (end: AnswerEnd) => void;

/** Makes the report of a call whose answer is awaited from now on. */
export function reportEnd(
  { requestId, observe, now }: RequestTrace,
  call: { readonly provider: ProviderId; readonly model: string; readonly streamed: boolean },
): ReportEnd {
  const startedAtMs = now();
  return ({ end, reason = null, usage }) => {
    observe({
      kind: "answer_ended",
      requestId,
      provider: call.provider,
      model: call.model,
      streamed: call.streamed,
      end,
      reason,
      durationMs: now() - startedAtMs,
      inputTokens: usage?.inputTokens ?? null,
      cachedTokens: usage?.cachedTokens ?? null,
      outputTokens: usage?.outputTokens ?? null,
      reasoningTokens: usage?.reasoningTokens ?? null,
    });
  };
}
