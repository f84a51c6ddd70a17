/**
 * The simulated `chatgpt.com/backend-api`: the Codex Responses endpoint, its model list, and the usage windows.
 *
 * Where the sources are silent: a missing `ChatGPT-Account-ID` header is 400 and a foreign one 403, so that neither can be
 * taken for an expired token; a model list without `client_version` is 400.
 *
 * Source: the facts page on ChatGPT, sections 3 to 7 and 10.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { gatewayRefusal, modelProblem, NO_RESPONSES_LITE, unsupportedModel } from "./chatgpt_gateway.ts";
import type { ChatGptState } from "./chatgpt_auth.ts";
import {
  isUsedUp,
  limitHeaders,
  limitReachedBody,
  rateLimitsEvent,
  usageDocument,
} from "./chatgpt_limits.ts";
import { modelFor, MODELS_ETAG, modelsDocument, speaksResponsesLite } from "./chatgpt_models.ts";
import type { Fault, RecordedRequest, SandboxContext, SandboxUser, SimulatedUpstream } from "./contract.ts";
import { mediaType } from "./form_body.ts";
import { isMembers, parseJson } from "./members.ts";
import type { PromptCache } from "./prompt_cache.ts";
import type { RequestProblem } from "./request_problem.ts";
import { parseResponsesRequest, type ResponsesRequest } from "./responses_request.ts";
import {
  overloadedEvents,
  type ResponsesAnswer,
  responsesDialect,
  type ResponsesEvent,
  responsesEvents,
  responsesFrames,
} from "./responses_wire.ts";
import { beginStep } from "./step.ts";
import { streamBody } from "./stream_body.ts";
import { streamSteps } from "./stream_steps.ts";

/** A request of a person who is signed in. */
interface Visit {
  readonly context: SandboxContext;
  readonly user: SandboxUser;
  readonly request: Request;
  readonly fault: Fault["kind"] | undefined;
  readonly promptCache: PromptCache;
}

const ROUTES: Readonly<
  Record<
    string,
    {
      readonly method: string;
      readonly on: Fault["on"];
      readonly answer: (visit: Visit) => Promise<Response>;
    }
  >
> = Object.freeze({
  "/codex/responses": { method: "POST", on: "call", answer: respond },
  "/codex/models": { method: "GET", on: "models", answer: listModels },
  "/wham/usage": { method: "GET", on: "user", answer: tellUsage },
});

/** The API, mounted at `/openai/backend-api`. */
export function createChatGptApi(context: SandboxContext, state: ChatGptState): SimulatedUpstream {
  return {
    async handle(request: Request, path: string, record: RecordedRequest): Promise<Response> {
      const route = ROUTES[path];
      if (route === undefined) return detail(404, "Not Found");
      const admission = admit(request, state);
      const typical = (status: number) => typicalAnswer(status, admission, context);
      const begun = await beginStep(context, request, record, route.on, typical);
      if (begun.kind === "answered") return withAccountHeaders(begun.response, admission, context);
      if (admission.kind === "refused") return admission.response;
      if (request.method !== route.method) return detail(405, "Method Not Allowed");
      const { promptCache } = state;
      const { user } = admission;
      const answer = await route.answer({ context, user, request, fault: begun.fault, promptCache });
      return withAccountHeaders(answer, admission, context);
    },
  };
}

type Admission =
  | { readonly kind: "user"; readonly user: SandboxUser }
  | { readonly kind: "refused"; readonly response: Response };

function admit(request: Request, state: ChatGptState): Admission {
  const refused = (response: Response): Admission => ({ kind: "refused", response });
  const token = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) return refused(unauthorized("missing_authorization_header"));
  const verdict = state.tokens.verdict(token);
  if (verdict.kind === "refused") {
    switch (verdict.reason) {
      case "invalidated":
        return refused(envelope(401, {
          message: "Your authentication token has been invalidated. Please try signing in again.",
          param: null,
          code: "token_invalidated",
        }));
      case "expired":
        return refused(unauthorized("token_expired", "token_expired"));
      case "unknown":
        return refused(unauthorized("invalid_token"));
    }
  }
  const accountId = request.headers.get("chatgpt-account-id") ?? "";
  if (accountId === "") return refused(detail(400, "Missing header: ChatGPT-Account-ID"));
  if (accountId !== verdict.user.chatgptAccountId) return refused(detail(403, "Forbidden"));
  return { kind: "user", user: verdict.user };
}

function withAccountHeaders(response: Response, admission: Admission, context: SandboxContext): Response {
  // A challenge page comes from the network before the API, which knows no accounts.
  if (admission.kind === "refused" || response.headers.has("cf-mitigated")) return response;
  const headers = new Headers(response.headers);
  const added = { ...limitHeaders(admission.user, context.now()), "x-models-etag": MODELS_ETAG };
  for (const [name, value] of Object.entries(added)) if (!headers.has(name)) headers.set(name, value);
  headers.set("x-request-id", context.token("", "chatgpt request id"));
  return new Response(response.body, { status: response.status, headers });
}

function listModels({ user, request }: Visit): Promise<Response> {
  const version = new URL(request.url).searchParams.get("client_version") ?? "";
  return Promise.resolve(
    version === ""
      ? detail(400, "Missing query parameter: client_version")
      : Response.json(modelsDocument(user, version), { headers: { etag: MODELS_ETAG } }),
  );
}

function tellUsage({ context, user }: Visit): Promise<Response> {
  return Promise.resolve(Response.json(usageDocument(user, context.now())));
}

async function respond(visit: Visit): Promise<Response> {
  const { context, user, request, fault } = visit;
  if (mediaType(request) !== "application/json") return detail(415, "Unsupported content type");
  const body = parseJson(await request.text());
  if (!isMembers(body)) return detail(400, "The request body has to be one JSON object.");
  const refusal = gatewayRefusal(body);
  if (refusal !== undefined) return detail(400, refusal);
  if (isUsedUp(user)) return limitReached(user, context);
  const parsed = parseResponsesRequest(body, { checkItemIds: true, checkItemMembers: true });
  if (parsed.kind === "wrong") return envelope(400, firstOf(parsed.problems));
  const model = modelFor(user, parsed.request.turn.model);
  if (model === undefined) return detail(400, unsupportedModel(parsed.request.turn.model));
  if (request.headers.has("x-openai-internal-codex-responses-lite") && !speaksResponsesLite(model)) {
    return envelope(400, { message: NO_RESPONSES_LITE, param: null, code: null });
  }
  const problem = modelProblem(body, parsed.request, model) ?? foreignReasoning(parsed.request, user);
  if (problem !== undefined) return envelope(400, problem);
  if (fault?.type === "json_error_in_200") return Response.json(serverError());
  const answer = plan(parsed.request, body["prompt_cache_key"], visit);
  return streamed(answer, visit);
}

function plan(
  request: ResponsesRequest,
  cacheKey: unknown,
  { context, user, promptCache }: Visit,
): ResponsesAnswer {
  const plan = promptCache.apply(context.planTurn(request.turn), request.turn, {
    account: user.chatgptUserId,
    key: typeof cacheKey === "string" ? cacheKey : undefined,
  });
  return {
    plan,
    model: request.turn.model,
    style: {
      ids: "prefixed",
      terminalOutput: context.switches().chatgpt.terminalOutput,
      phase: true,
      summary: request.summary,
      encryptedContent: request.encryptedReasoning ? `${sealFor(user)}${plan.digest}` : undefined,
      createdAt: Math.floor(context.now() / 1000),
      responseMembers: {
        background: false,
        parallel_tool_calls: request.turn.parallelToolCalls,
        reasoning: { effort: request.effort ?? "none", summary: request.summary ? "detailed" : null },
        service_tier: "default",
        store: false,
        tool_choice: typeof request.turn.toolChoice === "string"
          ? request.turn.toolChoice
          : { type: "function", ...request.turn.toolChoice },
      },
      usageMembers: {},
    },
  };
}

function streamed(answer: ResponsesAnswer, { context, user, request, fault }: Visit): Response {
  const { chunkBytes } = context.switches().chatgpt;
  const events = fault?.type === "overloaded_in_stream" ? overloadedEvents(answer) : responsesEvents(answer);
  const steps = streamSteps(withSideEvents(events, user, context), fault, responsesDialect(answer));
  const frame = responsesFrames({ eventLines: true });
  return new Response(streamBody(steps, { frame, context, signal: request.signal, chunkBytes }), {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      "openai-model": answer.model,
    },
  });
}

/** Works in the events that are not part of the answer, as the switches say. */
function* withSideEvents(
  events: Iterable<ResponsesEvent>,
  user: SandboxUser,
  context: SandboxContext,
): Generator<ResponsesEvent> {
  const switches = context.switches().chatgpt;
  if (switches.rateLimitsEvent) yield rateLimitsEvent(user, context.now());
  if (switches.hugeEventBytes > 0) {
    yield { type: "codex.response.metadata", padding: "x".repeat(switches.hugeEventBytes) };
  }
  for (const event of events) {
    yield event;
    if (switches.keepalive && event.type.endsWith(".delta")) yield { type: "keepalive" };
  }
}

/** Reasoning of another account cannot be read; the account is written into the ciphertext, here in the open. */
function foreignReasoning(request: ResponsesRequest, user: SandboxUser): RequestProblem | undefined {
  if (request.replayedReasoning.every((one) => one.startsWith(sealFor(user)))) return undefined;
  return {
    message:
      "The encrypted content could not be verified. Reason: Encrypted content could not be decrypted or parsed.",
    param: null,
    code: "invalid_encrypted_content",
  };
}

function sealFor(user: SandboxUser): string {
  return `gAAAAAB${createHash("sha256").update(user.chatgptAccountId).digest("hex").slice(0, 32)}`;
}

function limitReached(user: SandboxUser, context: SandboxContext): Response {
  return Response.json(limitReachedBody(user, context.now()), { status: 429 });
}

/** The upstream's own body for a scripted status. */
function typicalAnswer(status: number, admission: Admission, context: SandboxContext): Response {
  switch (status) {
    case 401:
      return unauthorized("token_expired", "token_expired");
    case 402:
      return Response.json({ detail: { code: "deactivated_workspace" } }, { status });
    case 404:
      return new Response(null, { status });
    case 413:
      return envelope(status, {
        message:
          "Your input exceeds the context window of this model. Please adjust your input and try again.",
        param: "input",
        code: "context_length_exceeded",
      });
    case 429:
      return admission.kind === "user"
        ? limitReached(admission.user, context)
        : Response.json({ detail: "Too Many Requests" }, { status });
    case 503:
      return Response.json({ error: { code: "server_is_overloaded" } }, { status });
    default:
      return status >= 500
        ? Response.json(serverError(), { status })
        : detail(status, "The request was refused.");
  }
}

function unauthorized(reason: string, code?: string): Response {
  return Response.json({ detail: "Unauthorized" }, {
    status: 401,
    headers: {
      "x-openai-authorization-error": reason,
      "cf-ray": "0000000000000000-LAX",
      ...(code === undefined ? {} : { "x-error-json": btoa(JSON.stringify({ error: { code } })) }),
    },
  });
}

function detail(status: number, sentence: string): Response {
  return Response.json({ detail: sentence }, { status });
}

function envelope(status: number, { message, param, code }: RequestProblem): Response {
  return Response.json({ error: { message, type: "invalid_request_error", param, code } }, { status });
}

function serverError(): unknown {
  const message = "An error occurred while processing your request.";
  return { error: { message, type: "server_error", param: null, code: "server_error" } };
}

function firstOf(problems: readonly RequestProblem[]): RequestProblem {
  return problems[0] ?? { message: "The request could not be read.", param: null, code: null };
}
