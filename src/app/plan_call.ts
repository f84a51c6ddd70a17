/**
 * Before anything is sent: the call that a request becomes at the upstream.
 *
 * @module
 */
import type { Session } from "../credential/session.ts";
import type { UpstreamCall } from "../provider/provider.ts";
import type { ClientRequest } from "../translate/client_request.ts";
import { clientNames } from "../translate/field_table.ts";
import { type Translation, translationOf } from "../translate/translation.ts";
import type { RequestBody } from "./model_request.ts";

/** A call, ready to be sent. */
export interface PlannedCall {
  readonly kind: "planned";
  /** The session that the plan was made with; its access token lives. */
  readonly session: Session;
  readonly translation: Translation;
  readonly call: UpstreamCall;
  /** Names of the parameters that are left out. */
  readonly ignored: readonly string[];
}

/** A request that no upstream is asked to answer. */
export interface InvalidCall {
  readonly kind: "invalid";
  readonly refusal: { readonly message: string; readonly param: string | null; readonly code: string };
}

/** Plans a call: chooses the upstream's dialect for the model, translates, and makes the body fit for the upstream. */
export async function planCall(
  session: Session,
  { client, preferred, wishes }: ClientRequest,
  read: RequestBody,
  signal: AbortSignal,
): Promise<PlannedCall | InvalidCall> {
  const { provider, grant } = session;
  const dialect = await provider.dialectFor(preferred, wishes.model, grant, signal);
  const translation = translationOf(client, { dialect, strays: provider.straysIn.includes(dialect) }, wishes);
  const translated = translation.request(read.value);
  if (translated.kind === "refused") return { kind: "invalid", refusal: translated };
  const prepared = provider.prepare(dialect, translated.body);
  if (prepared.kind === "refused") return { kind: "invalid", refusal: prepared };
  const { body } = prepared;
  // When nothing changed the client's own bytes go out, and nothing is printed again.
  const unchanged = body === read.value ? read.bytes : undefined;
  const call = { dialect, model: wishes.model, body, ...(unchanged && { bytes: unchanged }) };
  return {
    kind: "planned",
    session,
    translation,
    call,
    ignored: [
      ...new Set([
        ...translated.ignored,
        // The upstream's names mean nothing to the client.
        ...prepared.ignored.flatMap((name) => clientNames(translation.tables, read.value, name)),
      ]),
    ],
  };
}
