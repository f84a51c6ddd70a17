/**
 * The way of a model call: read the body, translate it if the upstream speaks another dialect, make it fit for the
 * upstream, send it once, and hand the answer on.
 *
 * @module
 */
import type { Refresher } from "../credential/refresh.ts";
import type { Session } from "../credential/session.ts";
import { readJsonBody } from "../guard/body.ts";
import type { PreparedRequest, UpstreamError, UpstreamReply } from "../provider/provider.ts";
import type { Observe } from "../traffic/observe.ts";
import { type ReplyWishes, replyWishes, type Translation, translationOf } from "../translate/translation.ts";
import { type JsonObject, nonEmptyString } from "../wire/json.ts";
import { errorResponse, refusalResponse, upstreamErrorResponse } from "./errors.ts";
import { answer } from "./model_answer.ts";
import { withFreshGrant } from "./with_fresh_grant.ts";
import type { Dialect } from "../wire/dialect.ts";

/** What a model call works with. */
export interface ModelCallDependencies {
  readonly refresher: Refresher;
  readonly observe: Observe;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The largest request body, bytes. */
  readonly maxBodyBytes: number;
}

/**
 * Answers a model call whose client speaks `client`. Client errors, upstream errors and ends of the session are
 * responses; only faults reject.
 */
export async function callModel(
  request: Request,
  client: Dialect,
  session: Session,
  dependencies: ModelCallDependencies,
): Promise<Response> {
  const { refresher, observe, maxBodyBytes, now } = dependencies;
  const read = await readJsonBody(request, maxBodyBytes);
  switch (read.kind) {
    case "too_large":
      return errorResponse("payload_too_large", `The request body may have at most ${maxBodyBytes} bytes.`);
    case "empty":
      return errorResponse("invalid_json", "The request has no body. Send a JSON object.");
    case "invalid":
      return errorResponse("invalid_json", read.message);
  }
  const asked = readAsked(client, read.value);
  if (asked.kind === "invalid") return refusalResponse(asked.refusal);
  const wishes = replyWishes(client, read.value, { model: asked.model, nowS: Math.floor(now() / 1000) });

  try {
    const attempt = await withFreshGrant(
      session,
      refresher,
      (fresh) => send(fresh, asked.model, client, wishes, read, request.signal),
    );
    if (attempt instanceof Response) return attempt;
    switch (attempt.kind) {
      case "invalid":
        return refusalResponse(attempt.refusal);
      case "refused": {
        const { status, code } = attempt.error;
        observe({ kind: "upstream_error", provider: session.provider.id, status, code });
        return upstreamErrorResponse(attempt.error);
      }
      case "sent": {
        const { reply, translation, ignored } = attempt;
        const response = await answer(reply, translation, wishes.stream, {
          signal: request.signal,
          onEnd: ({ end }) => {
            if (end !== "completed") observe({ kind: "stream_ended", provider: session.provider.id, end });
          },
        });
        if (ignored.length > 0) response.headers.set("x-authai-ignored-parameters", ignored.join(", "));
        return response;
      }
    }
  } catch (error) {
    // Nobody reads this; the status is nginx's for a client that closed the request.
    if (request.signal.aborted) return new Response(null, { status: clientClosedRequest });
    throw error;
  }
}

const clientClosedRequest = 499;

/** How one attempt at an upstream ended. */
type Attempt =
  | {
    readonly kind: "sent";
    readonly reply: Exclude<UpstreamReply, { kind: "refused" }>;
    readonly translation: Translation;
    readonly ignored: readonly string[];
  }
  | Invalid
  | { readonly kind: "refused"; readonly error: UpstreamError };

/** A request that no upstream was asked to answer. */
interface Invalid {
  readonly kind: "invalid";
  readonly refusal: { readonly message: string; readonly param: string | null; readonly code: string };
}

async function send(
  { provider, grant }: Session,
  model: string,
  client: Dialect,
  wishes: ReplyWishes,
  read: { readonly value: JsonObject; readonly bytes: Uint8Array<ArrayBuffer> },
  signal: AbortSignal,
): Promise<Attempt> {
  const upstream = await provider.dialectFor(client, model, grant, signal);
  const translation = translationOf(client, upstream, wishes);
  const translated = translation.request(read.value);
  if (translated.kind === "refused") return { kind: "invalid", refusal: translated };
  const prepared: PreparedRequest = provider.prepare(upstream, translated.body);
  if (prepared.kind === "refused") return { kind: "invalid", refusal: prepared };
  const { body } = prepared;
  const reply = await provider.send(
    // Nothing changed: the client's own bytes go out, and nothing is printed again.
    { dialect: upstream, model, body, ...(body === read.value ? { bytes: read.bytes } : {}) },
    grant,
    signal,
  );
  if (reply.kind === "refused") return reply;
  return {
    kind: "sent",
    reply,
    translation,
    ignored: [...new Set([...translated.ignored, ...prepared.ignored])],
  };
}

/** Judges what the relay itself needs of a request, whoever translates the rest. */
function readAsked(
  client: Dialect,
  body: JsonObject,
): { readonly kind: "asked"; readonly model: string } | Invalid {
  const model = nonEmptyString(body["model"]);
  if (model === undefined) {
    return invalid("model", "'model' must be a string that names a model. GET /v1/models lists them.");
  }
  if (!["boolean", "undefined"].includes(typeof (body["stream"] ?? undefined))) {
    return invalid("stream", "'stream' must be true or false.");
  }
  if (client === "chat" && !Array.isArray(body["messages"])) {
    return invalid("messages", "'messages' must be an array of messages.");
  }
  return { kind: "asked", model };
}

function invalid(param: string, message: string): Invalid {
  return { kind: "invalid", refusal: { message, param, code: "invalid_type" } };
}
