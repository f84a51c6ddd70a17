/**
 * Builds a Responses answer piece by piece and tells each step as an event (facts chatgpt-codex 4.2): the opposite of
 * the answer reader.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import type { UrlCitation } from "../wire/responses.ts";
import { responsesUsage, type TokenUsage } from "../wire/token_usage.ts";
import { emptyResponse, type ResponseIdentity } from "./responses_failure.ts";

/** An event without its `sequence_number`. */
export type ResponseStep = { readonly type: string } & JsonObject;

/** See {@linkcode createResponseBuilder}. */
export interface ResponseBuilder {
  /** Tells that the response exists. Once; the other methods call it when the caller did not. */
  start(told: { readonly model?: string | undefined; readonly created?: number | undefined }): void;
  text(text: string): void;
  refusal(text: string): void;
  reasoning(text: string): void;
  /** A piece of the call that `key` names; the first piece that has a name begins it. */
  call(
    key: string,
    piece: {
      readonly tool: "function" | "custom";
      readonly id: string | undefined;
      readonly name: string;
      readonly input: string;
    },
  ): void;
  /** Positions count from the start of the current message's text. */
  citation(citation: UrlCitation): void;
  /** Finishes all items and the response. */
  finish(
    ending: { readonly status: "completed" } | { readonly status: "incomplete"; readonly reason: string },
    usage: TokenUsage | undefined,
  ): void;
  /** The response as the client knows it. */
  readonly response: JsonObject;
}

/** A message or reasoning item in the making; its last part is the open one. */
interface OpenItem {
  readonly index: number;
  readonly id: string;
  readonly kind: "message" | "reasoning";
  readonly parts: {
    readonly type: "output_text" | "refusal" | "summary_text";
    text: string;
    annotations: JsonObject[];
  }[];
}

interface OpenCall {
  readonly index: number;
  readonly id: string;
  readonly callId: string;
  readonly tool: "function" | "custom";
  readonly name: string;
  input: string;
}

/** The events of a part and of its text, by the type of the part. */
const PART_EVENTS = Object.freeze({
  output_text: Object.freeze({ text: "response.output_text", part: "response.content_part" }),
  refusal: Object.freeze({ text: "response.refusal", part: "response.content_part" }),
  summary_text: Object.freeze({
    text: "response.reasoning_summary_text",
    part: "response.reasoning_summary_part",
  }),
});

/**
 * Makes a builder that tells `emit` each event. Item ids are made from the response's id, so that they are stable and
 * the same request told twice has the same ids.
 */
export function createResponseBuilder(
  identity: ResponseIdentity,
  emit: (step: ResponseStep) => void,
): ResponseBuilder {
  let response = emptyResponse(identity);
  let started = false;
  let open: OpenItem | undefined;
  const calls = new Map<string, OpenCall>();
  const waitingInput = new Map<string, string>();
  const output: JsonObject[] = [];
  const token = identity.id.replace(/^resp_/, "");

  function nextId(prefix: string): { index: number; id: string } {
    const index = output.length;
    // A place holder keeps the index until the item is finished.
    output.push({});
    return { index, id: `${prefix}_${token}_${index}` };
  }

  function start(
    told: { readonly model?: string | undefined; readonly created?: number | undefined } = {},
  ): void {
    if (started) return;
    started = true;
    response = {
      ...response,
      ...(told.model === undefined ? {} : { model: told.model }),
      ...(told.created === undefined ? {} : { created_at: told.created }),
    };
    emit({ type: "response.created", response });
    emit({ type: "response.in_progress", response });
  }

  /** The part to which text of this type goes; ends whatever else was open. */
  function partOf(kind: OpenItem["kind"], type: OpenItem["parts"][number]["type"]): OpenItem {
    start();
    if (open?.kind !== kind) {
      closeItem("completed");
      open = { ...nextId(kind === "message" ? "msg" : "rs"), kind, parts: [] };
      emit({
        type: "response.output_item.added",
        output_index: open.index,
        item: itemOf(open, "in_progress"),
      });
    }
    if (open.parts.at(-1)?.type !== type) {
      closePart(open);
      open.parts.push({ type, text: "", annotations: [] });
      const events = PART_EVENTS[type];
      emit({
        type: `${events.part}.added`,
        ...placeOf(open),
        part: partJson({ type, text: "", annotations: [] }),
      });
    }
    return open;
  }

  function tell(kind: OpenItem["kind"], type: OpenItem["parts"][number]["type"], text: string): void {
    if (text === "") return;
    const item = partOf(kind, type);
    const part = item.parts.at(-1);
    if (part !== undefined) part.text += text;
    emit({
      type: `${PART_EVENTS[type].text}.delta`,
      ...placeOf(item),
      delta: text,
      ...(type === "output_text" ? { logprobs: [] } : {}),
    });
  }

  function closePart(item: OpenItem): void {
    const part = item.parts.at(-1);
    if (part === undefined) return;
    const events = PART_EVENTS[part.type];
    const whole = part.type === "refusal" ? { refusal: part.text } : { text: part.text };
    emit({
      type: `${events.text}.done`,
      ...placeOf(item),
      ...whole,
      ...(part.type === "output_text" ? { logprobs: [] } : {}),
    });
    emit({ type: `${events.part}.done`, ...placeOf(item), part: partJson(part) });
  }

  function closeItem(status: "completed" | "incomplete"): void {
    if (open === undefined) return;
    closePart(open);
    done(open.index, itemOf(open, status));
    open = undefined;
  }

  function done(index: number, item: JsonObject): void {
    output[index] = item;
    emit({ type: "response.output_item.done", output_index: index, item });
  }

  function callInput(call: OpenCall, text: string): void {
    if (text === "") return;
    call.input += text;
    const type = call.tool === "custom"
      ? "response.custom_tool_call_input.delta"
      : "response.function_call_arguments.delta";
    emit({ type, item_id: call.id, output_index: call.index, delta: text });
  }

  function closeCall(call: OpenCall, status: "completed" | "incomplete"): void {
    const place = { item_id: call.id, output_index: call.index };
    if (call.tool === "custom") {
      emit({ type: "response.custom_tool_call_input.done", ...place, input: call.input });
    } else {
      emit({
        type: "response.function_call_arguments.done",
        ...place,
        name: call.name,
        arguments: call.input,
      });
    }
    done(call.index, callJson(call, status));
  }

  return {
    start,
    text: (text): void => tell("message", "output_text", text),
    refusal: (text): void => tell("message", "refusal", text),
    reasoning: (text): void => tell("reasoning", "summary_text", text),
    call(key, piece): void {
      start();
      const known = calls.get(key);
      if (known !== undefined) return callInput(known, piece.input);
      const waiting = (waitingInput.get(key) ?? "") + piece.input;
      if (piece.name === "") return void waitingInput.set(key, waiting);
      closeItem("completed");
      const { index, id } = nextId(piece.tool === "custom" ? "ctc" : "fc");
      const call = {
        index,
        id,
        callId: piece.id ?? `call_${token}_${index}`,
        tool: piece.tool,
        name: piece.name,
        input: "",
      };
      calls.set(key, call);
      emit({ type: "response.output_item.added", output_index: index, item: callJson(call, "in_progress") });
      callInput(call, waiting);
    },
    citation(citation): void {
      const item = partOf("message", "output_text");
      const part = item.parts.at(-1);
      const annotation = {
        type: "url_citation",
        url: citation.url,
        title: citation.title,
        start_index: citation.startIndex,
        end_index: citation.endIndex,
      };
      const place = { ...placeOf(item), annotation_index: part?.annotations.length ?? 0 };
      part?.annotations.push(annotation);
      emit({ type: "response.output_text.annotation.added", ...place, annotation });
    },
    finish(ending, usage): void {
      start();
      closeItem(ending.status);
      for (const call of calls.values()) closeCall(call, ending.status);
      response = {
        ...response,
        status: ending.status,
        incomplete_details: ending.status === "incomplete" ? { reason: ending.reason } : null,
        output: [...output],
        ...(usage === undefined ? {} : { usage: responsesUsage(usage) }),
      };
      emit({ type: `response.${ending.status}`, response });
    },
    get response(): JsonObject {
      return response;
    },
  };
}

function placeOf(item: OpenItem): JsonObject {
  const partIndex = item.parts.length - 1;
  const name = item.kind === "reasoning" ? "summary_index" : "content_index";
  return { item_id: item.id, output_index: item.index, [name]: partIndex };
}

function partJson(part: OpenItem["parts"][number]): JsonObject {
  switch (part.type) {
    case "refusal":
      return { type: "refusal", refusal: part.text };
    case "summary_text":
      return { type: "summary_text", text: part.text };
    case "output_text":
      return { type: "output_text", text: part.text, annotations: [...part.annotations], logprobs: [] };
  }
}

function itemOf(item: OpenItem, status: "in_progress" | "completed" | "incomplete"): JsonObject {
  const parts = item.parts.map(partJson);
  return item.kind === "reasoning"
    ? { id: item.id, type: "reasoning", summary: parts }
    : { id: item.id, type: "message", status, role: "assistant", content: parts };
}

function callJson(call: OpenCall, status: "in_progress" | "completed" | "incomplete"): JsonObject {
  const { id, callId, name, input } = call;
  return call.tool === "custom"
    ? { id, type: "custom_tool_call", status, call_id: callId, name, input }
    : { id, type: "function_call", status, call_id: callId, name, arguments: input };
}
