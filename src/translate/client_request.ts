/**
 * The dialects that clients speak, and what the relay itself has to know of a request before anybody translates it.
 *
 * @module
 */
import type { Dialect } from "../wire/dialect.ts";
import { type JsonObject, nonEmptyString, objectOrEmpty } from "../wire/json.ts";
import type { RefusalCode } from "./translated.ts";

/** `completions` is the legacy dialect of `POST /v1/completions`, which no upstream speaks. */
export type ClientDialect = Dialect | "completions";

/** What the reply has to know of the request. */
export interface ReplyWishes {
  /** Whether the client asked for a stream. */
  readonly stream: boolean;
  /** Whether the stream shall end with a chunk that tells the usage, in the dialects that know such a wish. */
  readonly includeUsage: boolean;
  /** Whether calls are told as Chat's legacy `function_call`, because the request had the legacy `functions`. */
  readonly legacyFunctions: boolean;
  /** The model that was asked; told when the upstream names none. */
  readonly model: string;
  /** The time of the request, unix seconds; told when the upstream names none. */
  readonly nowS: number;
  /** The answer's id in the client's dialect, used where the upstream's own cannot be. */
  readonly id: string;
}

/** A request of which all is known that has to be known. */
export interface ClientRequest {
  readonly kind: "asked";
  readonly client: ClientDialect;
  /** The upstream dialect in which the request loses least, where a model can be asked in several. */
  readonly preferred: Dialect;
  readonly wishes: ReplyWishes;
}

/** A request that cannot be planned. To be answered with status 400 and type `invalid_request_error`. */
export interface UnreadableRequest {
  readonly kind: "refused";
  readonly message: string;
  readonly param: string;
  readonly code: RefusalCode;
}

interface ClientForm {
  readonly preferred: Dialect;
  /** What ids of answers begin with. */
  readonly idPrefix: string;
  /** A field without which not even the upstream can tell what is wrong; its value is an array. */
  readonly requiredArray?: string;
}

const FORMS: Readonly<Record<ClientDialect, ClientForm>> = Object.freeze({
  chat: { preferred: "chat", idPrefix: "chatcmpl-", requiredArray: "messages" },
  responses: { preferred: "responses", idPrefix: "resp_" },
  completions: { preferred: "responses", idPrefix: "cmpl-" },
});

/** Reads a request; `nowS` is the time, unix seconds. */
export function readClientRequest(
  client: ClientDialect,
  body: JsonObject,
  nowS: number,
): ClientRequest | UnreadableRequest {
  const { preferred, idPrefix, requiredArray } = FORMS[client];
  const model = nonEmptyString(body["model"]);
  if (model === undefined) {
    return invalid("model", "'model' must be a string that names a model. GET /v1/models lists them.");
  }
  const stream = body["stream"] ?? false;
  if (typeof stream !== "boolean") return invalid("stream", "'stream' must be true or false.");
  if (requiredArray !== undefined && !Array.isArray(body[requiredArray])) {
    return invalid(requiredArray, `'${requiredArray}' must be an array.`);
  }
  const wishes = {
    stream,
    includeUsage: objectOrEmpty(body["stream_options"])["include_usage"] === true,
    legacyFunctions: Array.isArray(body["functions"]) && !Array.isArray(body["tools"]),
    model,
    nowS,
    id: idPrefix + crypto.randomUUID().replaceAll("-", ""),
  };
  return { kind: "asked", client, preferred, wishes };
}

function invalid(param: string, message: string): UnreadableRequest {
  return { kind: "refused", message, param, code: "invalid_type" };
}
