/**
 * The way of a model call: read the body, plan what to send, send it, and hand the answer on.
 *
 * @module
 */
import type { Refresher } from "../credential/refresh.ts";
import type { Session } from "../credential/session.ts";
import { readJsonBody } from "../guard/body.ts";
import type { Observe } from "../traffic/observe.ts";
import { type ClientDialect, readClientRequest } from "../translate/client_request.ts";
import { errorResponse, notFreshResponse, refusalResponse, unsupportedCodingResponse } from "./errors.ts";
import { ignoredParametersHeader, ignoredParametersValue } from "./ignored_parameters.ts";
import { type AnswerContext, answerDocument, answerEarly, answerStream, type Sent } from "./model_answer.ts";
import { withQuotaHeaders } from "./quota_headers.ts";
import { planCall, type PlannedCall } from "./plan_call.ts";
import { sendCall, type SendDependencies } from "./send_call.ts";
import type { StreamTiming } from "./stream_timing.ts";
import type { Timers } from "./timers.ts";
import { withFreshGrant } from "./with_fresh_grant.ts";

/** What a model call works with. */
export interface ModelCallDependencies {
  readonly refresher: Refresher;
  readonly observe: Observe;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  readonly timers: Timers;
  readonly timing: StreamTiming;
  /** The largest request body, bytes. */
  readonly maxBodyBytes: number;
}

/**
 * Answers a model call whose client speaks `client`. Client errors, upstream errors and ends of the session are
 * responses; faults reject, and so does a client that left, with its signal's reason.
 */
export async function callModel(
  request: Request,
  client: ClientDialect,
  session: Session,
  dependencies: ModelCallDependencies,
): Promise<Response> {
  const { refresher, maxBodyBytes, now } = dependencies;
  const read = await readJsonBody(request, maxBodyBytes);
  switch (read.kind) {
    case "too_large":
      return errorResponse("payload_too_large", `The request body may have at most ${maxBodyBytes} bytes.`);
    case "unknown_coding":
      return unsupportedCodingResponse();
    case "empty":
      return errorResponse("invalid_json", "The request has no body. Send a JSON object.");
    case "invalid":
      return errorResponse("invalid_json", read.message);
  }
  const asked = readClientRequest(client, read.value, Math.floor(now() / 1000));
  if (asked.kind === "refused") return refusalResponse(asked);

  const plan = await withFreshGrant(
    session,
    refresher,
    (fresh) => planCall(fresh, asked, read, request.signal),
  );
  switch (plan.kind) {
    case "signed_out":
    case "not_renewed":
      return notFreshResponse(plan, session.provider);
    case "invalid":
      return refusalResponse(plan.refusal);
    case "planned": {
      const response = asked.wishes.stream
        ? await callStreamed(plan, request.signal, dependencies)
        : await callCollected(plan, request.signal, dependencies);
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
  signal: AbortSignal,
  dependencies: ModelCallDependencies,
): Promise<Response> {
  const sent = await send(plan, signal, dependencies);
  const response = await answerDocument(sent, answerContext(plan, signal, dependencies));
  return withQuotaHeaders(response, sent, plan.session.provider);
}

/** Waits for the upstream's answer for a while; then the stream begins without it. */
async function callStreamed(
  plan: PlannedCall,
  signal: AbortSignal,
  dependencies: ModelCallDependencies,
): Promise<Response> {
  const { timers, timing } = dependencies;
  // Once the stream has begun it is its cancelling that tells that the client left, and no longer the request's signal.
  const client = new AbortController();
  const either = AbortSignal.any([signal, client.signal]);
  const sending = send(plan, either, dependencies);
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const stop = timers.after(timing.headersAfterMs, () => resolve("late"));
  const first = await Promise.race([sending, late]).finally(stop);
  const context = answerContext(plan, either, dependencies);
  return first === "late"
    ? answerEarly(sending, () => client.abort(), context)
    : withQuotaHeaders(await answerStream(first, context), first, plan.session.provider);
}

function send(
  { session, call }: PlannedCall,
  signal: AbortSignal,
  dependencies: ModelCallDependencies,
): Promise<Sent> {
  const { refresher, timers, random, timing } = dependencies;
  const patience: SendDependencies = { timers, random, firstByteLimitMs: timing.firstByteLimitMs };
  return withFreshGrant(session, refresher, (fresh) => sendCall(fresh, call, signal, patience));
}

function answerContext(
  { session: { provider }, translation }: PlannedCall,
  signal: AbortSignal,
  { observe, timers, timing }: ModelCallDependencies,
): AnswerContext {
  return { provider, translation, signal, observe, timers, timing };
}
