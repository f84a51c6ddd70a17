/**
 * The simulated Copilot API, `api.<plan>.githubcopilot.com`: who may call it, and from where. Paths start with the plan,
 * `/individual/...` or `/business/...`, which stands for the host.
 *
 * Source: facts page github-copilot, sections 4 to 8, 12.
 *
 * @module
 */
import { answerCopilotChat, answerCopilotResponses } from "./copilot_call.ts";
import {
  copilotText,
  endpointForbidden,
  invalidBody,
  modelNotSupported,
  notAuthorized,
  quotaExceeded,
  tokenExpired,
  typicalCopilotFailure,
  unsupportedApi,
  weeklyLimited,
} from "./copilot_errors.ts";
import { type CopilotEndpoint, copilotModelList, findCopilotModel } from "./copilot_models.ts";
import { nextMonthMs, quotaHeaders, remainingOf, spend } from "./copilot_quota.ts";
import { type CopilotHost, type CopilotSeat, seatOf } from "./copilot_seats.ts";
import type { Fault, Plan, SandboxContext, SandboxUser, SimulatedUpstream, Turn } from "./contract.ts";
import type { GithubState } from "./github_site.ts";
import { isMembers, parseJson } from "./members.ts";
import { beginStep } from "./step.ts";

/** Somebody with a seat on this host. */
interface Caller {
  readonly user: SandboxUser;
  readonly seat: CopilotSeat;
}

/** The Copilot API of both plans, mounted at `/copilot`. */
export function createCopilotApi(ctx: SandboxContext, state: GithubState): SimulatedUpstream {
  return {
    async handle(request, path, record) {
      const [, host, rest] = /^\/(individual|business)(\/.*)$/.exec(path) ?? [];
      const endpoint = rest === "/chat/completions" || rest === "/responses" ? rest : undefined;
      const expected = endpoint !== undefined ? "POST" : rest === "/models" ? "GET" : undefined;
      if ((host !== "individual" && host !== "business") || request.method !== expected) {
        return copilotText(404, "404 page not found");
      }
      const on = endpoint === undefined ? "models" : "call";
      const step = await beginStep(
        ctx,
        request,
        record,
        on,
        (status) => typicalCopilotFailure(status, ctx.now()),
      );
      const response = step.kind === "answered"
        ? step.response
        : await answer(ctx, state, request, host, endpoint, step.fault);
      return withGatewayHeaders(ctx, request, response);
    },
  };
}

async function answer(
  ctx: SandboxContext,
  state: GithubState,
  request: Request,
  host: CopilotHost,
  endpoint: CopilotEndpoint | undefined,
  fault: Fault["kind"] | undefined,
): Promise<Response> {
  const caller = admit(ctx, state, request, host);
  if (caller instanceof Response) return caller;
  if (endpoint === undefined) {
    const { headers } = request;
    const list = copilotModelList(headers.get("copilot-integration-id"), headers.get("x-github-api-version"));
    return Response.json(list);
  }
  const response = await answerCall(ctx, state, request, caller, endpoint, fault);
  const quota = quotaHeaders(state.premiumSpent, caller.user, caller.seat, ctx.now());
  for (const [name, value] of Object.entries(quota)) response.headers.set(name, value);
  return response;
}

/** The caller, or the refusal. Exchanged tokens have to look like an editor's, GitHub tokens need not. */
function admit(
  ctx: SandboxContext,
  state: GithubState,
  request: Request,
  host: CopilotHost,
): Caller | Response {
  const { headers } = request;
  const token = /^Bearer (\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? "";
  const exchanged = state.copilotTokens.get(token);
  const user = exchanged?.user ?? state.oauthTokens.get(token)?.user;
  if (user === undefined) return copilotText(401, "unauthorized: token is invalid");
  if (exchanged !== undefined) {
    if (exchanged.expiresAtMs <= ctx.now()) return tokenExpired();
    const editor = headers.get("editor-version");
    if (editor === null) return copilotText(400, "bad request: missing Editor-Version header for IDE auth");
    if (!/^[\w-]+\/\d+\.\d+/.test(editor)) {
      return copilotText(400, "bad request: unknown Editor-Version header for IDE auth");
    }
    if (headers.get("copilot-integration-id") === null) return endpointForbidden();
  }
  const seat = seatOf(user);
  if (seat === null) return notAuthorized();
  if (seat.host !== host) {
    return exchanged === undefined ? endpointForbidden() : copilotText(421, "Misdirected Request");
  }
  return { user, seat };
}

async function answerCall(
  ctx: SandboxContext,
  state: GithubState,
  request: Request,
  { user, seat }: Caller,
  endpoint: CopilotEndpoint,
  fault: Fault["kind"] | undefined,
): Promise<Response> {
  const body = parseJson(await request.text());
  if (!isMembers(body)) return invalidBody("The request body has to be one JSON object.");
  if (typeof body["model"] !== "string") return invalidBody("Missing required parameter: 'model'.", "model");
  const model = findCopilotModel(body["model"], seat);
  if (model === undefined) return modelNotSupported();
  if (!model.endpoints.includes(endpoint)) return unsupportedApi(model.id, endpoint);
  if (seat.refusesCalls === "weekly_limit") return weeklyLimited();
  if (isUsedUp(state, user, seat, model.multiplier)) {
    const code = seat.plan === "free" ? "free_quota_exceeded" : "quota_exceeded";
    return quotaExceeded(code, nextMonthMs(ctx.now()));
  }
  const call = {
    model,
    body,
    announcesImages: request.headers.get("copilot-vision-request") === "true",
    fault,
    signal: request.signal,
    // Nothing of a request leads to a cache: the provider behind the gateway finds what the account sent before.
    withCache: (plan: Plan, turn: Turn) =>
      state.promptCache.apply(plan, turn, { account: String(user.githubId), key: "" }),
  };
  const response = endpoint === "/responses"
    ? answerCopilotResponses(ctx, call)
    : answerCopilotChat(ctx, call);
  if (response.ok) {
    spend(state.premiumSpent, user, seat, request.headers.get("x-initiator"), model.multiplier);
  }
  return response;
}

/** Base models stay free on paid plans; a seat whose whole quota is gone may call nothing. */
function isUsedUp(state: GithubState, user: SandboxUser, seat: CopilotSeat, multiplier: number): boolean {
  if (seat.refusesCalls === "quota_exceeded") return true;
  const costs = seat.plan === "free" || multiplier > 0;
  return costs && remainingOf(state.premiumSpent, user, seat) <= 0;
}

function withGatewayHeaders(ctx: SandboxContext, request: Request, response: Response): Response {
  const id = ctx.token("", "copilot request id");
  response.headers.set("x-github-request-id", id);
  response.headers.set("x-github-backend", "Kubernetes");
  response.headers.set("x-request-id", request.headers.get("x-request-id") ?? id);
  return response;
}
