/**
 * What `doctor` finds out about one provider: the login, the models, and whether an answer comes.
 *
 * @module
 */
import { createRelayApp } from "../app/app.ts";
import { withFreshGrant } from "../app/with_fresh_grant.ts";
import type { RelayConfig } from "../config_load.ts";
import type { Model, Provider, UpstreamError } from "../provider/provider.ts";
import { isObject, nonEmptyString, parseObject } from "../wire/json.ts";
import { readToldError } from "../wire/openai_error.ts";
import { type Check, checkOf } from "./check.ts";
import { explainEnd, type Login, type OwnerAccess } from "./owner_access.ts";
import { counted, dayOf } from "./time_text.ts";

/** What the checks work with. */
export interface ProviderCheckOptions {
  readonly config: RelayConfig;
  readonly access: OwnerAccess;
  /** Whether a model may be asked, which takes a little of the quota. */
  readonly askModel: boolean;
  /** Whether upstreams are to be reached through an HTTP proxy. */
  readonly byProxy: boolean;
}

/** A model list is short; a provider that needs longer is in trouble. */
const listTimeoutMs = 20_000;

/** A model may think before it says OK. */
const answerTimeoutMs = 90_000;

/** Checks one login, each step only when the one before has passed. */
export async function* providerChecks(
  login: Login,
  options: ProviderCheckOptions,
): AsyncGenerator<Check, void> {
  const { provider } = login;
  const auth = checkOf(`${provider.id}_auth`, `${provider.displayName} login`);
  if (login.kind === "signed_out") return yield auth.skip("Not signed in.");
  const signIn = `authai-relay login ${provider.id}`;
  if (login.kind === "ended") return yield auth.fail(explainEnd(login.reason, provider), signIn);

  const list = await listModels(login, options.access);
  if (list.kind === "signed_out") {
    return yield auth.fail(`${provider.displayName} has ended this login.`, signIn);
  }
  yield auth.pass(`Signed in until ${dayOf(login.session.expiresAtS * 1000)}.`);

  const models = checkOf(`${provider.id}_models`, `${provider.displayName} models`);
  if (list.kind === "refused") return yield refusedCheck(models, list.error, provider);
  const [first] = list.models;
  if (first === undefined) {
    return yield models.fail(`This subscription offers no models.`, "authai-relay doctor --skip-response");
  }
  yield models.pass(`${counted(list.models.length, "model")}, such as ${first.id}.`);

  const response = checkOf(`${provider.id}_response`, `${provider.displayName} answer`);
  if (!options.askModel) return yield response.skip("Not asked for (--skip-response).");
  // The smaller sibling costs less of the quota, and on some plans nothing.
  const { id } = list.models.find((model) => /\bmini\b/.test(model.id)) ?? first;
  yield await answerCheck(response, id, login, options);
}

type ModelList =
  | { readonly kind: "models"; readonly models: readonly Model[] }
  | { readonly kind: "signed_out" }
  | { readonly kind: "refused"; readonly error: Pick<UpstreamError, "status" | "code" | "message"> };

async function listModels(
  { provider, session }: Extract<Login, { readonly kind: "signed_in" }>,
  { refresher }: OwnerAccess,
): Promise<ModelList> {
  const signal = AbortSignal.timeout(listTimeoutMs);
  try {
    const listed = await withFreshGrant(
      session,
      refresher,
      (fresh) => provider.listModels(fresh.grant, signal),
    );
    if (listed.kind !== "not_renewed") return listed;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const message = `${provider.displayName} could not be reached.`;
  return { kind: "refused", error: { status: 504, code: "upstream_unreachable", message } };
}

function refusedCheck(
  check: ReturnType<typeof checkOf>,
  { status, code, message }: Pick<UpstreamError, "status" | "code" | "message">,
  { displayName }: Provider,
): Check {
  if (code === "upstream_unreachable" || status === 504) {
    return check.fail(
      `${displayName} cannot be reached: this machine is offline, a proxy or firewall is in the way, or ` +
        `${displayName} is down.`,
      "Check the network, then: authai-relay doctor",
    );
  }
  const told = `${displayName} refuses with status ${status}${code === null ? "" : ` (${code})`}: ${message}`;
  if (status === 429) return check.warn(told, "Wait until the quota starts anew.");
  return check.fail(told, "authai-relay doctor");
}

/** Asks a model through the relay's own routes, so that everything that a client's call needs is tried. */
async function answerCheck(
  check: ReturnType<typeof checkOf>,
  model: string,
  { provider, jwt }: Extract<Login, { readonly kind: "signed_in" }>,
  { config, access, byProxy }: ProviderCheckOptions,
): Promise<Check> {
  const relay = createRelayApp({
    store: access.store,
    jwtSecret: config.jwtSecret,
    previousJwtSecrets: config.previousJwtSecrets,
    identitySecret: config.identitySecret,
    originator: config.originator,
    providers: config.providers,
    timing: config.streams,
    ...(byProxy ? { fetch } : {}),
  });
  const signal = AbortSignal.timeout(answerTimeoutMs);
  try {
    const response = await relay.fetch(
      new Request("http://relay/v1/chat/completions", {
        method: "POST",
        headers: { authorization: `Bearer ${jwt}`, "content-type": "application/json" },
        body: JSON.stringify({ model, messages: [{ role: "user", content: "Reply with OK." }] }),
        signal,
      }),
    );
    const body = parseObject(await response.text()) ?? {};
    if (response.ok && answerText(body) !== undefined) return check.pass(`${model} answers.`);
    if (signal.aborted) {
      return check.fail(`${model} did not answer within ${answerTimeoutMs / 1000} s.`, "authai-relay doctor");
    }
    const told = readToldError(body);
    return refusedCheck(check, {
      status: response.status,
      code: told?.code ?? null,
      message: told?.message ?? `${model} gave no text.`,
    }, provider);
  } finally {
    await relay.settled();
    relay.close();
  }
}

function answerText(body: Record<string, unknown>): string | undefined {
  const choices: unknown = body["choices"];
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const message = isObject(first) ? first["message"] : undefined;
  return isObject(message) ? nonEmptyString(message["content"]) : undefined;
}
