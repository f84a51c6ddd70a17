/**
 * The dialect pairs as a table: for each dialect that a client speaks and each that an upstream speaks, the request half
 * and the reply half. Nothing outside this folder compares dialects.
 *
 * @module
 */
import type { UpstreamBody } from "../wire/byte_source.ts";
import type { Dialect } from "../wire/dialect.ts";
import type { JsonObject } from "../wire/json.ts";
import {
  chatCompletionToResponse,
  createChatCollector,
  createReplyOverChat,
  createResponsesReply,
} from "./chat_reply_to_responses.ts";
import { CHAT_FIELDS } from "./chat_fields.ts";
import { createRepairedChatReply, repairCompletion } from "./chat_repair.ts";
import { chatToResponses } from "./chat_to_responses.ts";
import type { ClientDialect, ReplyWishes } from "./client_request.ts";
import {
  type CollectedResponse,
  type CollectLimits,
  collectResponses,
  collectStream,
  judgeResponse,
} from "./collect_responses.ts";
import { COMPLETIONS_FIELDS } from "./completions_fields.ts";
import { completionsToResponses } from "./completions_to_responses.ts";
import { translateEvents } from "./event_reply.ts";
import type { FieldTable } from "./field_table.ts";
import { passThrough } from "./pass_through.ts";
import type { StreamTranslator } from "./relay_stream.ts";
import { RESPONSES_FIELDS } from "./responses_fields.ts";
import { createChatReply, responseToChatCompletion } from "./responses_to_chat.ts";
import { responsesToChat } from "./responses_to_chat_request.ts";
import { createCompletionReply, responseToCompletion } from "./responses_to_completions.ts";
import type { StreamFailure } from "./stream_failure.ts";
import type { Translated } from "./translated.ts";
import { watchChat } from "./watch_chat.ts";
import { watchResponses } from "./watch_responses.ts";
import { wholeResponse } from "./whole_response.ts";

/** An answer as one document in the client's dialect, or the failure that it turned out to be. */
export type DocumentAnswer =
  | { readonly kind: "document"; readonly document: JsonObject }
  | { readonly kind: "failed"; readonly error: StreamFailure };

/** Both halves of one dialect pair, for one call. */
export interface Translation {
  /** The request in the upstream's dialect; the same body when there is nothing to translate. */
  request(body: JsonObject): Translated;
  /** The tables that the request half runs on, in order; none when there is nothing to translate. */
  readonly tables: readonly FieldTable[];
  /** The reply half for a stream that stays a stream. */
  stream(): StreamTranslator;
  /**
   * The reply half for a stream that has to become one document, because the upstream streams although the client did
   * not ask for it. Rejects with the signal's reason when the client left.
   */
  collect(upstream: UpstreamBody, signal: AbortSignal): Promise<DocumentAnswer>;
  /** The reply half for one document; absent when the upstream's bytes are the answer as they are. */
  readonly document?: (document: JsonObject) => DocumentAnswer;
}

/** How an upstream speaks. */
export interface UpstreamSpeech {
  readonly dialect: Dialect;
  /**
   * Whether its answers stray from the dialect so far that clients of it break. They are repaired then, instead of passing
   * through untouched.
   */
  readonly strays: boolean;
}

/** The largest event that is relayed, bytes: an event may carry a whole image (facts chatgpt-codex 4.1). */
const maxEventBytes = 32 * 1024 * 1024;

/** What is folded into one document is held in memory. */
const limits: CollectLimits = Object.freeze({ maxEventBytes, maxStreamBytes: 64 * 1024 * 1024 });

/** The translation between a client and an upstream. */
export function translationOf(
  client: ClientDialect,
  upstream: UpstreamSpeech,
  wishes: ReplyWishes,
): Translation {
  return pairs[client][upstream.dialect](wishes, upstream.strays);
}

type Pair = (wishes: ReplyWishes, strays: boolean) => Translation;

const pairs: Readonly<Record<ClientDialect, Readonly<Record<Dialect, Pair>>>> = Object.freeze({
  chat: Object.freeze({ chat: chatToChat, responses: chatOverResponses }),
  responses: Object.freeze({ responses: responsesToResponses, chat: responsesOverChat }),
  completions: Object.freeze({ responses: completionsOverResponses, chat: completionsOverChat }),
});

function unchanged(body: JsonObject): Translated {
  return { kind: "ready", body, ignored: [] };
}

function chatOverResponses(wishes: ReplyWishes): Translation {
  return {
    request: chatToResponses,
    tables: [CHAT_FIELDS],
    stream: () => translateEvents(createChatReply(wishes), { maxEventBytes }),
    async collect(upstream, signal) {
      return toChatCompletion(await collectResponses(upstream, limits, signal), wishes);
    },
    document: (document) => toChatCompletion(judgeResponse(document), wishes),
  };
}

function responsesToResponses(wishes: ReplyWishes, strays: boolean): Translation {
  return {
    request: unchanged,
    tables: [],
    stream: () =>
      passThrough(
        watchResponses({ identity: wishes, dropPrivateEvents: true, stableIds: strays }),
        { maxEventBytes },
      ),
    async collect(upstream, signal) {
      return answerOf(
        await collectResponses(upstream, limits, signal),
        (answer) => wholeResponse(answer, wishes),
      );
    },
  };
}

function chatToChat(wishes: ReplyWishes, strays: boolean): Translation {
  return {
    request: unchanged,
    tables: [],
    stream: () =>
      strays
        ? translateEvents(createRepairedChatReply(wishes), { maxEventBytes })
        : passThrough(watchChat(), { maxEventBytes }),
    async collect(upstream, signal) {
      // Through the hub, so that there is one way of folding an answer.
      return toChatCompletion(
        await collectStream(upstream, createChatCollector(wishes), limits, signal),
        wishes,
      );
    },
    ...(strays ? { document: (document): DocumentAnswer => repairedCompletion(document, wishes) } : {}),
  };
}

function responsesOverChat(wishes: ReplyWishes): Translation {
  return {
    request: responsesToChat,
    tables: [RESPONSES_FIELDS],
    stream: () => translateEvents(createResponsesReply(wishes), { maxEventBytes }),
    async collect(upstream, signal) {
      return toResponse(await collectStream(upstream, createChatCollector(wishes), limits, signal));
    },
    document: (document) => toResponse(chatCompletionToResponse(document, wishes)),
  };
}

function completionsOverResponses(wishes: ReplyWishes): Translation {
  return {
    request: completionsToResponses,
    tables: [COMPLETIONS_FIELDS],
    stream: () => translateEvents(createCompletionReply(wishes), { maxEventBytes }),
    async collect(upstream, signal) {
      return toCompletion(await collectResponses(upstream, limits, signal), wishes);
    },
    document: (document) => toCompletion(judgeResponse(document), wishes),
  };
}

function completionsOverChat(wishes: ReplyWishes): Translation {
  return {
    request: (body) => chained(completionsToResponses(body), responsesToChat),
    tables: [COMPLETIONS_FIELDS, RESPONSES_FIELDS],
    stream: () =>
      translateEvents(createReplyOverChat(wishes, createCompletionReply(wishes)), { maxEventBytes }),
    async collect(upstream, signal) {
      return toCompletion(
        await collectStream(upstream, createChatCollector(wishes), limits, signal),
        wishes,
      );
    },
    document: (document) => toCompletion(chatCompletionToResponse(document, wishes), wishes),
  };
}

/** The second translation of what the first one made. */
function chained(first: Translated, second: (body: JsonObject) => Translated): Translated {
  if (first.kind === "refused") return first;
  const outcome = second(first.body);
  return outcome.kind === "refused"
    ? outcome
    : { ...outcome, ignored: [...first.ignored, ...outcome.ignored] };
}

/** A document in the upstream's loose Chat. What has no choices, or ended in an error, is judged by way of the hub. */
function repairedCompletion(document: JsonObject, wishes: ReplyWishes): DocumentAnswer {
  const viaHub = chatCompletionToResponse(document, wishes);
  const repaired = viaHub.kind === "failed" ? undefined : repairCompletion(document);
  return repaired === undefined ? toChatCompletion(viaHub, wishes) : { kind: "document", document: repaired };
}

function toChatCompletion(collected: CollectedResponse, wishes: ReplyWishes): DocumentAnswer {
  return answerOf(collected, (answer) => responseToChatCompletion(answer, wishes));
}

function toCompletion(collected: CollectedResponse, wishes: ReplyWishes): DocumentAnswer {
  return answerOf(collected, (answer) => responseToCompletion(answer, wishes));
}

function toResponse(collected: CollectedResponse): DocumentAnswer {
  return answerOf(collected, ({ response }) => response);
}

function answerOf(
  collected: CollectedResponse,
  toDocument: (answer: CollectedResponse & { readonly kind: "response" }) => JsonObject,
): DocumentAnswer {
  return collected.kind === "failed" ? collected : { kind: "document", document: toDocument(collected) };
}
