/**
 * The way of a model call: read the request, plan what to send, send it, and hand the answer on.
 *
 * @module
 */
import type { Refresher } from "../credential/refresh.ts";
import type { Observe } from "../traffic/observe.ts";
import { tellRequestBody, tellResponseBody } from "./body_events.ts";
import { notFreshResponse, refusalResponse } from "./errors.ts";
import { ignoredParametersHeader, ignoredParametersValue } from "./ignored_parameters.ts";
import { type AnswerContext, answerDocument, answerEarly, answerStream, type Sent } from "./model_answer.ts";
import { type ModelCall, type ModelRequestDependencies, readModelRequest } from "./model_request.ts";
import { planCall, type PlannedCall } from "./plan_call.ts";
import { withQuotaHeaders } from "./quota_headers.ts";
import { reportEnd, type RequestTrace } from "./request_trace.ts";
import { sendCall, type SendDependencies } from "./send_call.ts";
import type { StreamTiming } from "./stream_timing.ts";
import type { Timers } from "./timers.ts";
import { withFreshGrant } from "./with_fresh_grant.ts";

/** What a model call works with. */
export interface ModelCallDependencies extends ModelRequestDependencies {
  readonly refresher: Refresher;
  readonly observe: Observe;
  /** Whether the log is told what people and models say. */
  readonly logBodies: boolean;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  readonly timers: Timers;
  readonly timing: StreamTiming;
}

/**
 * Answers a model call. Client errors, upstream errors and ends of the session are responses; faults reject, and so does a
 * client that left, with its signal's reason.
 */
export async function callModel(
  modelCall: ModelCall,
  dependencies: ModelCallDependencies,
): Promise<Response> {
  const { request, caller } = modelCall;
  const { refresher } = dependencies;
  const read = await readModelRequest(modelCall, dependencies);
  if (read instanceof Response) return read;
  const { session, asked, body } = read;
  const plan = await withFreshGrant(
    session,
    refresher,
    (fresh) => planCall(fresh, asked, body, request.signal),
  );
  switch (plan.kind) {
    case "signed_out":
    case "not_renewed":
      return notFreshResponse(plan, session.provider, caller);
    case "invalid":
      return refusalResponse(plan.refusal);
    case "planned": {
      tellAdaptation(plan, modelCall, dependencies);
      const trace = traceOf(modelCall, dependencies);
      if (dependencies.logBodies) tellRequestBody(trace, body);
      const answer = asked.wishes.stream
        ? await callStreamed(plan, modelCall, dependencies)
        : await callCollected(plan, modelCall, dependencies);
      const response = dependencies.logBodies ? tellResponseBody(trace, answer) : answer;
      const { ignored } = plan;
      if (ignored.length > 0) {
        response.headers.set(ignoredParametersHeader, ignoredParametersValue(ignored));
      }
      return response;
    }
  }
}

async function callCollected(
  plan: PlannedCall,
  modelCall: ModelCall,
  dependencies: ModelCallDependencies,
): Promise<Response> {
  const { signal } = modelCall.request;
  const context = answerContext(plan, modelCall, false, signal, dependencies);
  const sent = await send(plan, modelCall, signal, dependencies);
  const response = await answerDocument(sent, context);
  return withQuotaHeaders(response, sent, plan.session.provider);
}

/** Waits for the upstream's answer for a while; then the stream begins without it. */
async function callStreamed(
  plan: PlannedCall,
  modelCall: ModelCall,
  dependencies: ModelCallDependencies,
): Promise<Response> {
  const { timers, timing } = dependencies;
  // Once the stream has begun it is its cancelling that tells that the client left, and no longer the request's signal.
  const client = new AbortController();
  const either = AbortSignal.any([modelCall.request.signal, client.signal]);
  const context = answerContext(plan, modelCall, true, either, dependencies);
  const sending = send(plan, modelCall, either, dependencies);
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const stop = timers.after(timing.headersAfterMs, () => resolve("late"));
  const first = await Promise.race([sending, late]).finally(stop);
  return first === "late"
    ? answerEarly(sending, () => client.abort(), context)
    : withQuotaHeaders(await answerStream(first, context), first, plan.session.provider);
}

function send(
  { session, call }: PlannedCall,
  modelCall: ModelCall,
  signal: AbortSignal,
  dependencies: ModelCallDependencies,
): Promise<Sent> {
  const { refresher, timers, random, timing } = dependencies;
  const trace = traceOf(modelCall, dependencies);
  const sending: SendDependencies = { trace, timers, random, firstByteLimitMs: timing.firstByteLimitMs };
  return withFreshGrant(session, refresher, (fresh) => sendCall(fresh, call, signal, sending));
}

function answerContext(
  { session: { provider }, translation, call: { model } }: PlannedCall,
  modelCall: ModelCall,
  streamed: boolean,
  signal: AbortSignal,
  dependencies: ModelCallDependencies,
): AnswerContext {
  const { caller, hold } = modelCall;
  const { timers, timing } = dependencies;
  const report = reportEnd(traceOf(modelCall, dependencies), { provider: provider.id, model, streamed });
  return { provider, caller, hold, translation, signal, report, timers, timing };
}

function traceOf({ requestId }: ModelCall, { observe, now }: ModelCallDependencies): RequestTrace {
  return { requestId, observe, now };
}

function tellAdaptation(
  { session: { provider }, call: { model, dialect }, ignored }: PlannedCall,
  { requestId, client }: ModelCall,
  { observe }: ModelCallDependencies,
): void {
  if (client === dialect && ignored.length === 0) return;
  observe({
    kind: "adaptation",
    requestId,
    provider: provider.id,
    model,
    from: client,
    to: dialect,
    ignored,
  });
}
