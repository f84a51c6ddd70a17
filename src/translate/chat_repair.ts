/**
 * Repairs Chat Completions answers of an upstream that strays from the reference (facts github-copilot 10): one answer
 * spread over several choices, chunks without choices or without `object`, calls that finish with `stop`.
 *
 * What else the upstream tells stays, because clients send some of it back (`thought_signature`, `reasoning_opaque`). That
 * is why such answers are not told anew through the hub, which would cost about the same.
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import { openAiError, readToldError } from "../wire/openai_error.ts";
import { formatSseData, SSE_DONE } from "../wire/sse.ts";
import { readChatUsage, type TokenUsage } from "../wire/token_usage.ts";
import type { EventReply } from "./event_reply.ts";
import { finishReason, type ResponseEnding, responseEnding, worseEnding } from "./finish_reason.ts";
import { ownFailure, type StreamFailure, toldFailure } from "./stream_failure.ts";

/**
 * Makes the streaming reply half. All choices are told as one. The finish reason is kept back until the usage or the end
 * comes, because a choice may finish before the calls of another one are told. Chunks that have neither a choice nor usage
 * are left out, and so are those with nothing but usage if the client did not ask for it: clients read the first choice
 * without looking. The finish reason `error` is a failure, and so is an answer without any choice.
 */
export function createRepairedChatReply(options: { readonly includeUsage: boolean }): EventReply {
  const callIndices = new Map<string, number>();
  let out = "";
  let begun = false;
  let calls: Calls = "none";
  let held: JsonObject | undefined;
  let ending: ResponseEnding | undefined;
  let end: "completed" | "failed" | undefined;
  let failureCode: string | undefined;
  let usage: TokenUsage | undefined;

  function send(chunk: JsonObject, choices: readonly JsonObject[]): void {
    out += formatSseData({ ...chunk, object: "chat.completion.chunk", choices });
  }

  function fail(failure: StreamFailure): void {
    out += formatSseData(openAiError(failure));
    end = "failed";
    failureCode = failure.code;
  }

  /** What a choice brings, with its calls numbered over all choices. */
  function told(choice: JsonObject, position: number): JsonObject {
    const delta = toldBy(choice);
    const { tool_calls: list } = delta;
    if (!Array.isArray(list)) return delta;
    const numbered = list.filter(isObject).map((call, order) => {
      const key = `${choice["index"] ?? position} ${call["index"] ?? order}`;
      const index = callIndices.get(key) ?? callIndices.size;
      callIndices.set(key, index);
      return { ...call, index };
    });
    return { ...delta, tool_calls: numbered };
  }

  function finish(): void {
    if (held === undefined || ending === undefined) return;
    send(held, [{ ...choicesOf(held)[0], index: 0, delta: {}, finish_reason: finishWord(ending, calls) }]);
    held = undefined;
  }

  function repair(chunk: JsonObject): void {
    const choices = choicesOf(chunk);
    if (choices.length === 0) {
      if (!options.includeUsage || !isObject(chunk["usage"])) return;
      finish();
      return send(chunk, []);
    }
    begun = true;
    const delta = merged(choices.map(told));
    calls = callsIn(delta) ?? calls;
    const endings = endingsOf(choices);
    const piece = [{ ...choices[0], index: 0, delta, finish_reason: null }];
    if (endings.length === 0) return send(chunk, piece);
    ending = endings.reduce(worseEnding, ending);
    held = { ...held, ...chunk };
    // What else this chunk tells, its usage for one, goes with the finish reason.
    const { usage: _, ...rest } = chunk;
    if (tellsSomething(delta)) send(rest, piece);
  }

  function take(): string {
    const text = out;
    out = "";
    return text;
  }

  return {
    push(chunk: JsonObject): string {
      if (end !== undefined) return "";
      const choices = choicesOf(chunk);
      // Only what is no answer can be an error: choices carry empty error objects.
      const error = choices.length === 0 ? readToldError(chunk) : undefined;
      usage = readChatUsage(chunk["usage"]) ?? usage;
      if (error !== undefined) fail(toldFailure(error));
      else if (endingsOf(choices).some(({ status }) => status === "failed")) fail(toldFailure(saidNothing));
      else repair(chunk);
      return take();
    },
    sentinel(): string {
      if (end !== undefined) return "";
      if (begun) {
        finish();
        out += SSE_DONE;
        end = "completed";
      } else {
        fail(ownFailure("unreadable_stream"));
      }
      return take();
    },
    fail(failure: StreamFailure): string {
      if (end === undefined) fail(failure);
      return take();
    },
    get end(): "completed" | "failed" | undefined {
      return end;
    },
    get failureCode(): string | undefined {
      return failureCode;
    },
    get mayEnd(): boolean {
      return ending !== undefined;
    },
    get usage(): TokenUsage | undefined {
      return usage;
    },
  };
}

/**
 * A completion with all its choices as one; undefined when it has none. That a choice ended with `error` is the caller's to
 * notice.
 */
export function repairCompletion(completion: JsonObject): JsonObject | undefined {
  const choices = choicesOf(completion);
  if (choices.length === 0) return undefined;
  const message = { role: "assistant", content: null, refusal: null, ...merged(choices.map(toldBy)) };
  const ending = endingsOf(choices).reduce(worseEnding, { status: "completed" });
  const finish_reason = finishWord(ending, callsIn(message) ?? "none");
  return {
    ...completion,
    object: "chat.completion",
    choices: [{ logprobs: null, ...choices[0], index: 0, message, finish_reason }],
  };
}

const saidNothing = Object.freeze({ message: null, type: null, param: null, code: null });

/** In which form an answer calls tools. */
type Calls = Parameters<typeof finishReason>[2];

/** The choices of a chunk or a completion; empty when they are missing or null. */
function choicesOf(json: JsonObject): readonly JsonObject[] {
  const { choices } = json;
  return Array.isArray(choices) ? choices.filter(isObject) : [];
}

/** How the choices ended, as far as they have. */
function endingsOf(choices: readonly JsonObject[]): readonly ResponseEnding[] {
  return choices.map((choice) => choice["finish_reason"]).filter((reason) => typeof reason === "string")
    .map(responseEnding);
}

/** The delta of a chunk's choice, or the message of a completion's. */
function toldBy(choice: JsonObject): JsonObject {
  const told = isObject(choice["delta"]) ? choice["delta"] : choice["message"];
  return isObject(told) ? told : {};
}

/** Members whose pieces make one text. */
const texts: ReadonlySet<string> = new Set(["content", "refusal", "reasoning_content", "reasoning_text"]);

/** What several choices tell, as one: texts and lists are joined, of other members the last one that is not null counts. */
function merged(told: readonly JsonObject[]): JsonObject {
  const whole: JsonObject = {};
  for (const [member, value] of told.flatMap((one) => Object.entries(one))) {
    const before = whole[member];
    if (value === null) {
      // Other nulls say that there is nothing; a null role is none that clients accept.
      if (member !== "role") whole[member] ??= null;
    } else if (typeof before === "string" && typeof value === "string" && texts.has(member)) {
      whole[member] = before + value;
    } else if (Array.isArray(before) && Array.isArray(value)) {
      whole[member] = [...before, ...value];
    } else {
      whole[member] = value;
    }
  }
  // Clients know reasoning by the first name; the upstream wants it back under its own.
  const { reasoning_text: reasoning } = whole;
  return typeof reasoning === "string" ? { reasoning_content: reasoning, ...whole } : whole;
}

function callsIn(told: JsonObject): Calls | undefined {
  if (Array.isArray(told["tool_calls"]) && told["tool_calls"].length > 0) return "tool_calls";
  return isObject(told["function_call"]) ? "function_call" : undefined;
}

/** The total map's word. A failed ending is told as an error before anybody asks for its word. */
function finishWord(ending: ResponseEnding, calls: Calls): string {
  return ending.status === "incomplete"
    ? finishReason("incomplete", ending.reason, calls)
    : finishReason("completed", undefined, calls);
}

function tellsSomething(delta: JsonObject): boolean {
  return Object.entries(delta).some(([member, value]) => member !== "role" && value !== null && value !== "");
}
