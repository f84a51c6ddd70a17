/**
 * The dialect pairs as a table: for each dialect that a client speaks and each that an upstream speaks, the request half
 * and the reply half. Nothing outside this folder compares dialects.
 *
 * @module
 */
import type { Dialect } from "../wire/dialect.ts";
import type { JsonObject } from "../wire/json.ts";
import {
  chatCompletionToResponse,
  createChatCollector,
  createResponsesReply,
} from "./chat_reply_to_responses.ts";
import { chatReplyWishes, chatToResponses } from "./chat_to_responses.ts";
import {
  type CollectedResponse,
  type CollectLimits,
  collectResponses,
  collectStream,
  judgeResponse,
} from "./collect_responses.ts";
import { translateEvents } from "./event_reply.ts";
import { passThrough } from "./pass_through.ts";
import type { StreamTranslator } from "./relay_stream.ts";
import { createChatReply, responseToChatCompletion } from "./responses_to_chat.ts";
import { responsesToChat } from "./responses_to_chat_request.ts";
import type { StreamFailure } from "./stream_failure.ts";
import type { Translated } from "./translated.ts";
import { watchChat } from "./watch_chat.ts";
import { watchResponses } from "./watch_responses.ts";

/** What the reply has to know of the request. */
export interface ReplyWishes {
  /** Whether the client asked for a stream. */
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly legacyFunctions: boolean;
  /** The model that was asked; told when the upstream names none. */
  readonly model: string;
  /** The time of the request, unix seconds; told when the upstream names none. */
  readonly nowS: number;
  /** The answer's id in the client's dialect, used where the upstream's own cannot be. */
  readonly id: string;
}

/** An answer as one document in the client's dialect, or the failure that it turned out to be. */
export type DocumentAnswer =
  | { readonly kind: "document"; readonly document: JsonObject }
  | { readonly kind: "failed"; readonly error: StreamFailure };

/** Both halves of one dialect pair, for one call. */
export interface Translation {
  /** The request in the upstream's dialect; the same body when there is nothing to translate. */
  request(body: JsonObject): Translated;
  /** The reply half for a stream that stays a stream. */
  stream(): StreamTranslator;
  /**
   * The reply half for a stream that has to become one document, because the upstream streams although the client did
   * not ask for it. Rejects with the signal's reason when the client left.
   */
  collect(upstream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<DocumentAnswer>;
  /** The reply half for one document; absent when the upstream's bytes are the answer as they are. */
  readonly document?: (document: JsonObject) => DocumentAnswer;
}

/** The largest event that is relayed, bytes: an event may carry a whole image (facts chatgpt-codex 4.1). */
const maxEventBytes = 32 * 1024 * 1024;

/** What is folded into one document is held in memory. */
const limits: CollectLimits = Object.freeze({ maxEventBytes, maxStreamBytes: 64 * 1024 * 1024 });

/** Reads what the reply half has to know. `model` was judged before; `nowS` is in unix seconds. */
export function replyWishes(
  client: Dialect,
  body: JsonObject,
  call: { model: string; nowS: number },
): ReplyWishes {
  const token = crypto.randomUUID().replaceAll("-", "");
  if (client === "chat") return { ...chatReplyWishes(body), ...call, id: `chatcmpl-${token}` };
  return {
    stream: body["stream"] === true,
    includeUsage: true,
    legacyFunctions: false,
    ...call,
    id: `resp_${token}`,
  };
}

/** The translation between a client and an upstream. */
export function translationOf(client: Dialect, upstream: Dialect, wishes: ReplyWishes): Translation {
  return pairs[client][upstream](wishes);
}

const pairs: Readonly<Record<Dialect, Readonly<Record<Dialect, (wishes: ReplyWishes) => Translation>>>> =
  Object.freeze({
    chat: Object.freeze({ chat: chatToChat, responses: chatOverResponses }),
    responses: Object.freeze({ responses: responsesToResponses, chat: responsesOverChat }),
  });

function unchanged(body: JsonObject): Translated {
  return { kind: "ready", body, ignored: [] };
}

function toCompletion(collected: CollectedResponse, wishes: ReplyWishes): DocumentAnswer {
  return collected.kind === "failed"
    ? collected
    : { kind: "document", document: responseToChatCompletion(collected, wishes) };
}

function toResponse(collected: CollectedResponse): DocumentAnswer {
  return collected.kind === "failed" ? collected : { kind: "document", document: collected.response };
}

function chatOverResponses(wishes: ReplyWishes): Translation {
  return {
    request: chatToResponses,
    stream: () => translateEvents(createChatReply(wishes), { maxEventBytes }),
    async collect(upstream, signal) {
      return toCompletion(await collectResponses(upstream, limits, signal), wishes);
    },
    document: (document) => toCompletion(judgeResponse(document), wishes),
  };
}

function responsesToResponses(wishes: ReplyWishes): Translation {
  return {
    request: unchanged,
    stream: () =>
      passThrough(watchResponses({ identity: wishes, dropPrivateEvents: true }), { maxEventBytes }),
    async collect(upstream, signal) {
      return toResponse(await collectResponses(upstream, limits, signal));
    },
  };
}

function chatToChat(wishes: ReplyWishes): Translation {
  return {
    request: unchanged,
    stream: () => passThrough(watchChat(), { maxEventBytes }),
    async collect(upstream, signal) {
      // Through the hub, so that there is one way of folding an answer.
      return toCompletion(await collectStream(upstream, createChatCollector(wishes), limits, signal), wishes);
    },
  };
}

function responsesOverChat(wishes: ReplyWishes): Translation {
  return {
    request: responsesToChat,
    stream: () => translateEvents(createResponsesReply(wishes), { maxEventBytes }),
    async collect(upstream, signal) {
      return toResponse(await collectStream(upstream, createChatCollector(wishes), limits, signal));
    },
    document: (document) => toResponse(chatCompletionToResponse(document, wishes)),
  };
}
