/**
 * The OpenAI-shaped routes. Everything under `/v1` needs a credential, also what does not exist.
 *
 * @module
 */
import { Hono, type MiddlewareHandler } from "hono";
import type { Session, Sessions } from "../credential/session.ts";
import type { Model } from "../provider/provider.ts";
import { authenticate } from "./auth_routes.ts";
import {
  errorResponse,
  notFreshResponse,
  unauthorizedResponse,
  unsupportedEndpointResponse,
  upstreamErrorResponse,
  webSocketRefusedResponse,
} from "./errors.ts";
import { callModel, type ModelCallDependencies } from "./model_call.ts";
import { addQuotaRoutes } from "./quota_routes.ts";
import { withFreshGrant } from "./with_fresh_grant.ts";

/** What the model routes work with. */
export interface ModelDependencies extends ModelCallDependencies {
  readonly sessions: Sessions;
}

/** What the routes below `/v1` find in their context. */
type Variables = { session: Session };

/** Adds the `/v1` routes. */
export function addModelRoutes(app: Hono, dependencies: ModelDependencies): void {
  const { sessions, refresher, observe } = dependencies;
  const models = new Hono<{ Variables: Variables }>();

  const requireSession: MiddlewareHandler<{ Variables: Variables }> = async (context, next) => {
    const session = await authenticate(context.req.raw, "/v1", sessions, observe);
    if (session === undefined) return unauthorizedResponse();
    context.set("session", session);
    return await next();
  };
  models.use(requireSession);

  models.post(
    "/chat/completions",
    (context) => callModel(context.req.raw, "chat", context.var.session, dependencies),
  );
  models.post(
    "/responses",
    (context) => callModel(context.req.raw, "responses", context.var.session, dependencies),
  );

  models.post(
    "/completions",
    (context) => callModel(context.req.raw, "completions", context.var.session, dependencies),
  );

  models.get("/models", async (context) => {
    const listed = await listModels(context.req.raw, context.var.session);
    return listed instanceof Response ? listed : context.json({ object: "list", data: listed.map(describe) });
  });

  // The id may contain slashes.
  models.get("/models/:id{.+}", async (context) => {
    const listed = await listModels(context.req.raw, context.var.session);
    if (listed instanceof Response) return listed;
    const id = context.req.param("id");
    const model = listed.find((candidate) => candidate.id === id);
    return model === undefined
      ? errorResponse(
        "model_not_found",
        "Your subscription does not offer this model. GET /v1/models lists what it offers.",
        "model",
      )
      : context.json(describe(model));
  });

  models.get(
    "/responses",
    (context) =>
      context.req.header("upgrade")?.toLowerCase() === "websocket"
        ? webSocketRefusedResponse(context.req.path)
        : unsupportedEndpointResponse(context.req.path),
  );

  addQuotaRoutes(models, dependencies);
  models.all("*", (context) => unsupportedEndpointResponse(context.req.path));
  app.route("/v1", models);

  async function listModels(request: Request, session: Session): Promise<readonly Model[] | Response> {
    const listed = await withFreshGrant(
      session,
      refresher,
      (fresh) => fresh.provider.listModels(fresh.grant, request.signal),
    );
    if (listed.kind === "models") return listed.models;
    if (listed.kind !== "refused") return notFreshResponse(listed, session.provider);
    const { status, code } = listed.error;
    observe({ kind: "upstream_error", provider: session.provider.id, status, code });
    return upstreamErrorResponse(listed.error);
  }
}

/** A model in OpenAI's shape, with what we know beyond it in one block of our own. Unknown capabilities are left out. */
function describe(model: Model): Record<string, unknown> {
  const { id, displayName, created, ownedBy, ...capabilities } = model;
  return {
    id,
    object: "model",
    created,
    owned_by: ownedBy,
    authai: {
      display_name: displayName,
      dialects: capabilities.dialects,
      context_window_tokens: capabilities.contextWindowTokens,
      max_output_tokens: capabilities.maxOutputTokens,
      input_modalities: capabilities.inputModalities,
      reasoning_efforts: capabilities.reasoningEfforts,
      default_reasoning_effort: capabilities.defaultReasoningEffort,
      tool_calls: capabilities.toolCalls,
      parallel_tool_calls: capabilities.parallelToolCalls,
      structured_outputs: capabilities.structuredOutputs,
    },
  };
}
