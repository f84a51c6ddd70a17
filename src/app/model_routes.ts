/**
 * The OpenAI-shaped routes. Everything below their roots needs a credential, also what does not exist.
 *
 * @module
 */
import { Hono } from "hono";
import type { ClientDialect } from "../translate/client_request.ts";
import { admitCaller, type AdmitDependencies } from "./admit_caller.ts";
import { errorResponse, unsupportedEndpointResponse, webSocketRefusedResponse } from "./errors.ts";
import { addFileRoutes } from "./file_routes.ts";
import type { FileUploadDependencies } from "./file_upload.ts";
import { callModel, type ModelCallDependencies } from "./model_call.ts";
import {
  describeList,
  describeModel,
  findModel,
  listModels,
  type ModelListDependencies,
} from "./model_list.ts";
import { addQuotaRoutes } from "./quota_routes.ts";
import type { CallerEnv, RelayBindings, RelayEnv } from "./relay_env.ts";
import { addStatusRoutes, type StatusDependencies } from "./status_routes.ts";

/** What the model routes work with. */
export interface ModelDependencies extends ModelCallDependencies, AdmitDependencies, FileUploadDependencies {
  /** Absent: there is no owner, and nobody to tell a status. */
  readonly status?: Omit<StatusDependencies, "routes"> | undefined;
}

/** Where the routes are, and whether models may be given tools there. */
const roots: readonly { readonly root: string; readonly toolsAllowed: boolean }[] = Object.freeze([
  { root: "/v1", toolsAllowed: true },
  { root: "/no-tools/v1", toolsAllowed: false },
]);

/** Which client dialect is spoken where. */
const callPaths: Readonly<Record<string, ClientDialect>> = Object.freeze({
  "/chat/completions": "chat",
  "/responses": "responses",
  "/completions": "completions",
});

/** Adds the routes below `/v1` and below `/no-tools/v1`. */
export function addModelRoutes(app: Hono<RelayEnv>, dependencies: ModelDependencies): void {
  for (const { root, toolsAllowed } of roots) {
    const routes = new Hono<CallerEnv>();
    routes.use(admitCaller(root, dependencies));
    addRoutes(routes, toolsAllowed, dependencies, () => routePatterns(app));
    app.route(root, routes);
  }
}

/**
 * Method and path of everything below the roots, e.g. `GET /v1/models/:id`. Middleware and the answer to what does not exist are
 * for all methods.
 */
function routePatterns(app: Hono<RelayEnv>): string[] {
  const below = app.routes.filter(({ method, path }) =>
    method !== "ALL" && roots.some(({ root }) => path.startsWith(`${root}/`))
  );
  // Hono writes the form of a parameter behind its name.
  return below.map(({ method, path }) => `${method} ${path.replace(/\{[^}]*\}/g, "")}`);
}

function addRoutes(
  models: Hono<CallerEnv>,
  toolsAllowed: boolean,
  dependencies: ModelDependencies,
  routes: () => readonly string[],
): void {
  for (const [path, client] of Object.entries(callPaths)) {
    models.post(path, (context) => {
      const { env: { requestId }, var: { caller, hold }, req: { raw: request } } = context;
      return callModel({ request, requestId, client, caller, toolsAllowed, hold }, dependencies);
    });
  }

  const listing = ({ requestId }: RelayBindings): ModelListDependencies => {
    const { refresher, observe, now } = dependencies;
    return { refresher, trace: { requestId, observe, now } };
  };

  models.get("/models", async (context) => {
    const list = await listModels(context.var.caller, context.req.raw.signal, listing(context.env));
    return list instanceof Response ? list : context.json(describeList(list));
  });

  // The id may contain slashes.
  models.get("/models/:id{.+}", async (context) => {
    const list = await listModels(context.var.caller, context.req.raw.signal, listing(context.env));
    if (list instanceof Response) return list;
    const model = findModel(list, context.req.param("id"));
    return model === undefined
      ? errorResponse(
        "model_not_found",
        "Your subscription does not offer this model. GET /v1/models lists what it offers.",
        "model",
      )
      : context.json(describeModel(model));
  });

  models.get(
    "/responses",
    (context) =>
      context.req.header("upgrade")?.toLowerCase() === "websocket"
        ? webSocketRefusedResponse(context.req.path)
        : unsupportedEndpointResponse(context.req.path),
  );

  addFileRoutes(models, dependencies);
  addQuotaRoutes(models, dependencies);
  addStatusRoutes(models, dependencies.status && { ...dependencies.status, routes });
  models.all("*", (context) => unsupportedEndpointResponse(context.req.path));
}
