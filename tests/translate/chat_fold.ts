/** Folds a Chat stream into what a client's user sees; the opposite of the reply half, written on its own. */
import { eventsOf } from "./replay.ts";

export interface FoldedChat {
  role: string;
  content: string | null;
  refusal: string;
  reasoning: string;
  calls: { id: string; name: string; input: string; type: string }[];
  functionCall: { name: string; arguments: string } | undefined;
  annotations: unknown[];
  finish: string | null;
  usage: unknown;
  done: boolean;
  error: unknown;
}

export function foldChat(text: string): FoldedChat {
  const folded: FoldedChat = {
    role: "",
    content: null,
    refusal: "",
    reasoning: "",
    calls: [],
    functionCall: undefined,
    annotations: [],
    finish: null,
    usage: undefined,
    done: false,
    error: undefined,
  };
  for (const event of eventsOf(text)) {
    if (folded.done) throw new Error("Something follows [DONE].");
    if (event.data === "[DONE]") {
      folded.done = true;
      continue;
    }
    const chunk = JSON.parse(event.data);
    if (chunk.error !== undefined) {
      folded.error = chunk.error;
      continue;
    }
    if (chunk.usage) folded.usage = chunk.usage;
    for (const { delta, finish_reason: finish } of chunk.choices) {
      if (delta.role !== undefined) folded.role += delta.role;
      if (typeof delta.content === "string") folded.content = (folded.content ?? "") + delta.content;
      folded.refusal += delta.refusal ?? "";
      folded.reasoning += delta.reasoning_content ?? "";
      folded.annotations.push(...delta.annotations ?? []);
      if (delta.function_call !== undefined) {
        folded.functionCall ??= { name: "", arguments: "" };
        folded.functionCall.name += delta.function_call.name ?? "";
        folded.functionCall.arguments += delta.function_call.arguments ?? "";
      }
      for (const call of delta.tool_calls ?? []) {
        const part = call.function ?? call.custom ?? {};
        const known = folded.calls[call.index] ??= { id: "", name: "", input: "", type: "" };
        known.id += call.id ?? "";
        known.type += call.type ?? "";
        known.name += part.name ?? "";
        known.input += part.arguments ?? part.input ?? "";
      }
      if (finish !== null) folded.finish = finish;
    }
  }
  return folded;
}
