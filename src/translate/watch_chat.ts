/**
 * What there is to watch in a Chat Completions stream that passes through.
 *
 * @module
 */
import { isObject, type JsonObject, parseObject } from "../wire/json.ts";
import { openAiError, readToldError, withSafeError } from "../wire/openai_error.ts";
import { formatSseData, type SseEvent } from "../wire/sse.ts";
import { readChatUsage, type TokenUsage } from "../wire/token_usage.ts";
import { responseEnding } from "./finish_reason.ts";
import type { EventWatch } from "./pass_through.ts";
import { type StreamFailure, toldFailure } from "./stream_failure.ts";

/** Inside a JSON text these words have their quotes escaped, so that they are found as members only. */
const CONCERNS = /\[DONE\]|"error"|"detail"|"usage"\s*:\s*\{|"finish_reason"\s*:\s*"/;

/**
 * Makes the watch. The answer has ended with `[DONE]`, and may end without it once a choice has its finish reason. An
 * error in the upstream's own shape is replaced by one in OpenAI's, and ends the stream; so does Copilot's finish reason
 * `error`, which no client knows.
 */
export function watchChat(): EventWatch {
  let end: "completed" | "failed" | undefined;
  let failureCode: string | undefined;
  let finished = false;
  let usage: TokenUsage | undefined;

  function fail(failure: StreamFailure): string {
    end = "failed";
    failureCode = failure.code;
    return formatSseData(openAiError(failure));
  }

  return {
    scan: (text: string): boolean => CONCERNS.test(text),
    look(event: SseEvent): string | undefined {
      if (end === "failed") return "";
      if (event.data.trim() === "[DONE]") {
        end = "completed";
        return undefined;
      }
      const chunk = parseObject(event.data);
      if (chunk === undefined) return undefined;
      if (!Array.isArray(chunk["choices"]) || chunk["choices"].length === 0) {
        const error = readToldError(chunk);
        if (error !== undefined) return fail(toldFailure(error));
        // Of another dialect, perhaps a failure in its words: it passes, what looks like a credential does not.
        const safe = withSafeError(chunk);
        if (safe !== chunk) return formatSseData(safe);
      }
      usage = readChatUsage(chunk["usage"]) ?? usage;
      for (const reason of finishReasons(chunk)) {
        if (responseEnding(reason).status === "failed") {
          return fail(toldFailure({ message: null, type: null, param: null, code: null }));
        }
        finished = true;
      }
      return undefined;
    },
    fail,
    get end(): "completed" | "failed" | undefined {
      return end;
    },
    get failureCode(): string | undefined {
      return failureCode;
    },
    get mayEnd(): boolean {
      return end !== undefined || finished;
    },
    // An error ends a Chat stream at once.
    told: false,
    get usage(): TokenUsage | undefined {
      return usage;
    },
  };
}

function finishReasons(chunk: JsonObject): string[] {
  const choices = chunk["choices"];
  if (!Array.isArray(choices)) return [];
  return choices.map((choice) => isObject(choice) ? choice["finish_reason"] : undefined)
    .filter((reason) => typeof reason === "string");
}
