/**
 * Sending a prepared call until the upstream answers or refuses for good: with a time limit for the first byte, and a few
 * repetitions of what the upstream's own clients repeat too.
 *
 * @module
 */
import type { Provider, UpstreamCall, UpstreamReply } from "../provider/provider.ts";
import type { Session } from "../credential/session.ts";
import { askUpstream, type RequestTrace } from "./request_trace.ts";
import { pause, type Timers } from "./timers.ts";

/** What sending works with. */
export interface SendDependencies {
  readonly trace: RequestTrace;
  readonly timers: Timers;
  /** A number from 0 to below 1; spreads repetitions. */
  readonly random: () => number;
  /** The longest wait for the first byte, milliseconds. */
  readonly firstByteLimitMs: number;
}

/**
 * The pauses before repetitions, milliseconds. ChatGPT's own client begins with 200 ms (facts chatgpt-codex 4.1); three
 * attempts in all keep a refusal that stays within a second or so.
 */
const pausesMs: readonly number[] = Object.freeze([200, 800]);

/**
 * Sends one call. Refusals that the provider marks as transient are tried again; all happens before the client has got a
 * byte of an answer. Rejects with the signal's reason when the client leaves, and sends nothing after that.
 */
export async function sendCall(
  { provider, grant }: Session,
  call: UpstreamCall,
  signal: AbortSignal,
  dependencies: SendDependencies,
): Promise<UpstreamReply> {
  const { trace: { requestId, observe }, timers, random } = dependencies;
  const attempt = async (number: number) => {
    const { model, dialect } = call;
    observe({ kind: "upstream_request", requestId, provider: provider.id, model, dialect, attempt: number });
    return await sendOnce(provider, grant, call, signal, dependencies);
  };
  for (const [sent, pauseMs] of pausesMs.entries()) {
    const reply = await attempt(sent + 1);
    if (reply.kind !== "refused" || !reply.error.transient) return reply;
    // Full jitter above half: parallel calls that were refused together do not come back together.
    const spreadMs = pauseMs * (0.5 + random() / 2);
    observe({ kind: "retry", requestId, provider: provider.id, attempt: sent + 2, pauseMs: spreadMs });
    await pause(timers, spreadMs, signal);
  }
  return await attempt(pausesMs.length + 1);
}

async function sendOnce(
  provider: Provider,
  grant: Session["grant"],
  call: UpstreamCall,
  signal: AbortSignal,
  { trace, timers, firstByteLimitMs }: SendDependencies,
): Promise<UpstreamReply> {
  const limit = new AbortController();
  const stop = timers.after(
    firstByteLimitMs,
    () => limit.abort(new DOMException("The upstream took too long.", "TimeoutError")),
  );
  try {
    const either = AbortSignal.any([signal, limit.signal]);
    return await askUpstream(trace, "call", provider.id, () => provider.send(call, grant, either));
  } finally {
    // The limit is for the first byte only: what streams after it has its own.
    stop();
  }
}
