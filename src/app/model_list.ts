/**
 * `GET /v1/models`: the live list of the caller's provider, or of all providers that the relay's owner is signed in at.
 *
 * @module
 */
import type { Refresher } from "../credential/refresh.ts";
import type { Session } from "../credential/session.ts";
import type { Model, ProviderId } from "../provider/provider.ts";
import type { Caller } from "./caller.ts";
import { noLoginResponse, notFreshResponse, upstreamErrorResponse } from "./errors.ts";
import { namedModel, routeModel } from "./route_model.ts";
import { askUpstream, type RequestTrace } from "./request_trace.ts";
import { withFreshGrant } from "./with_fresh_grant.ts";

/** What listing works with. */
export interface ModelListDependencies {
  readonly refresher: Refresher;
  /** Of the request that asks; absent when none does. */
  readonly trace?: RequestTrace;
}

/** A model as the caller may ask for it. */
export interface ListedModel {
  /** Asking for this id reaches `provider`, whatever other providers offer. */
  readonly id: string;
  readonly provider: ProviderId;
  readonly model: Model;
}

/** The models of a caller. */
export interface ModelList {
  readonly kind: "list";
  readonly models: readonly ListedModel[];
  /** Providers whose models are missing because their list could not be read. */
  readonly missing: readonly ProviderId[];
}

/**
 * Reads the lists of all providers that the caller is signed in at. What one provider cannot tell is missing from the list
 * of the others; when none can, the answer is the first one's error.
 */
export async function listModels(
  caller: Caller,
  signal: AbortSignal,
  dependencies: ModelListDependencies,
): Promise<ModelList | Response> {
  const sessions = await caller.sessions();
  const outcomes = await Promise.all(
    sessions.map((session) => readList(session, caller, signal, dependencies)),
  );
  const lists = new Map<ProviderId, readonly Model[]>();
  const failures = new Map<ProviderId, Response>();
  sessions.forEach(({ provider: { id } }, at) => {
    const outcome = outcomes[at];
    if (outcome instanceof Response) failures.set(id, outcome);
    else if (outcome !== undefined) lists.set(id, outcome);
  });
  if (lists.size === 0) {
    const [first] = failures.values();
    return first ?? noLoginResponse();
  }
  const named = caller.kind === "owner" ? await withUniqueIds(lists) : withOwnIds(lists);
  return { kind: "list", models: named, missing: [...failures.keys()] };
}

/** The model that the caller means by `id`. */
export function findModel({ models }: ModelList, id: string): ListedModel | undefined {
  const listed = models.find((candidate) => candidate.id === id);
  if (listed !== undefined) return listed;
  const named = namedModel(id);
  return models.find(({ provider, model }) => provider === named?.provider && model.id === named.model);
}

/** The list in OpenAI's shape. */
export function describeList({ models, missing }: ModelList): Record<string, unknown> {
  return {
    object: "list",
    data: models.map(describeModel),
    ...(missing.length === 0 ? {} : { authai: { missing_providers: missing } }),
  };
}

/** A model in OpenAI's shape, with what we know beyond it in one block of our own. Unknown capabilities are left out. */
export function describeModel({ id, provider, model }: ListedModel): Record<string, unknown> {
  return {
    id,
    object: "model",
    created: model.created,
    owned_by: model.ownedBy,
    authai: {
      provider,
      display_name: model.displayName,
      dialects: model.dialects,
      context_window_tokens: model.contextWindowTokens,
      max_output_tokens: model.maxOutputTokens,
      input_modalities: model.inputModalities,
      reasoning_efforts: model.reasoningEfforts,
      default_reasoning_effort: model.defaultReasoningEffort,
      tool_calls: model.toolCalls,
      parallel_tool_calls: model.parallelToolCalls,
      structured_outputs: model.structuredOutputs,
    },
  };
}

function withOwnIds(lists: ReadonlyMap<ProviderId, readonly Model[]>): ListedModel[] {
  return [...lists].flatMap(([provider, models]) =>
    models.map((model) => ({ id: model.id, provider, model }))
  );
}

/** Providers share names: who gets a plain one is decided as it is for a call, and the others get their prefix. */
async function withUniqueIds(lists: ReadonlyMap<ProviderId, readonly Model[]>): Promise<ListedModel[]> {
  const offered = new Map(
    [...lists].map(([provider, models]) => [provider, new Set(models.map(({ id }) => id))]),
  );
  const signedIn = [...lists.keys()];
  return await Promise.all(
    withOwnIds(lists).map(async (listed) => {
      const { id, provider } = listed;
      const reached = namedModel(id)?.provider ??
        await routeModel(id, signedIn, (other) => Promise.resolve(offered.get(other)?.has(id)));
      return reached === provider && namedModel(id) === undefined
        ? listed
        : { ...listed, id: `${provider}/${id}` };
    }),
  );
}

async function readList(
  session: Session,
  caller: Caller,
  signal: AbortSignal,
  { refresher, trace }: ModelListDependencies,
): Promise<readonly Model[] | Response> {
  const listed = await withFreshGrant(
    session,
    refresher,
    ({ provider, grant }) =>
      askUpstream(trace, "models", provider.id, () => provider.listModels(grant, signal)),
  );
  if (listed.kind === "models") return listed.models;
  if (listed.kind !== "refused") return notFreshResponse(listed, session.provider, caller);
  return upstreamErrorResponse(listed.error);
}
