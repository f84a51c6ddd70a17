/**
 * Follows a Responses answer, event by event or item by item, and tells what is new in it: each piece of text once,
 * whichever of the dialect's repeated forms (delta, done, item, final output) brought it first.
 *
 * Both reply halves of every other dialect are written on this, so that a streamed answer and a collected one cannot
 * differ.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { outputOf, readOutputItem, readUrlCitation, type UrlCitation } from "../wire/responses.ts";
import type { OutputPlace, OutputText, ResponsesEvent } from "../wire/responses_events.ts";

/** Takes what is new. Calls are numbered from 0 in the order in which they appeared. */
export interface AnswerSink {
  text(text: string): void;
  refusal(text: string): void;
  reasoning(text: string): void;
  /** A new tool call; its input follows in any number of pieces, possibly between those of other calls. */
  call(
    index: number,
    call: { readonly tool: "function" | "custom"; readonly id: string; readonly name: string },
  ): void;
  callInput(index: number, text: string): void;
  /** Positions count from the start of the whole text that was told. */
  citation(citation: UrlCitation): void;
}

/** See {@linkcode createAnswerReader}. */
export interface AnswerReader {
  /** Reads the next event. `ended` and `failed` are the caller's to act on, after this. */
  read(event: ResponsesEvent): void;
  /** Reads a whole item, as in the `output` of a collected response. */
  readItem(outputIndex: number, item: JsonObject): void;
  /**
   * Notes that the piece of text of the latest event was followed by one of so many UTF-16 units, which the caller has told
   * itself. Undefined when that event was no piece: a whole text is told once, and a second one is not.
   */
  readonly grow: ((length: number) => void) | undefined;
}

/** Between two messages, and between two parts of a reasoning summary: other dialects have one text for all. */
const SEPARATOR = "\n\n";

interface PartProgress {
  /** UTF-16 units of this part that were told. */
  told: number;
  /** UTF-16 units of text told before this part began. */
  base: number;
  citations: number;
}

interface ItemProgress {
  readonly parts: Map<string, PartProgress>;
  callIndex: number | undefined;
  /** Which of its two forms a reasoning item is told in: the first that came. */
  reasoning: "summary" | "reasoning" | undefined;
}

/** Makes a reader that tells `sink`. */
export function createAnswerReader(sink: AnswerSink): AnswerReader {
  const items = new Map<number, ItemProgress>();
  let calls = 0;
  let textLength = 0;
  let lastMessage: number | undefined;
  /** What the latest piece of text belongs to, and whether positions count it. */
  let latest: { readonly part: PartProgress; readonly counted: boolean } | undefined;
  let reasoningTold = false;

  function itemAt(outputIndex: number): ItemProgress {
    let item = items.get(outputIndex);
    if (item === undefined) {
      item = { parts: new Map(), callIndex: undefined, reasoning: undefined };
      items.set(outputIndex, item);
    }
    return item;
  }

  function partAt(item: ItemProgress, of: OutputText, partIndex: number): PartProgress {
    const key = `${of} ${partIndex}`;
    let part = item.parts.get(key);
    if (part === undefined) {
      part = { told: 0, base: textLength, citations: 0 };
      item.parts.set(key, part);
    }
    return part;
  }

  /** Notes a piece of text of a part. */
  function note(part: PartProgress, length: number, counted: boolean): void {
    part.told += length;
    if (counted) textLength += length;
    latest = { part, counted };
  }

  function grow(length: number): void {
    if (latest !== undefined) note(latest.part, length, latest.counted);
  }

  function tell(of: OutputText, place: OutputPlace, text: string): void {
    if (text === "") return;
    const item = itemAt(place.outputIndex);
    switch (of) {
      case "text":
        return tellText(item, place, text);
      case "refusal":
        note(partAt(item, of, place.partIndex), text.length, false);
        return sink.refusal(text);
      case "summary":
      case "reasoning":
        return tellReasoning(item, of, place.partIndex, text);
      case "input":
        // Input of a call whose item is not known yet has no name to go with: the item brings it again.
        if (item.callIndex === undefined) return;
        note(partAt(item, of, 0), text.length, false);
        return sink.callInput(item.callIndex, text);
    }
  }

  function tellText(item: ItemProgress, place: OutputPlace, text: string): void {
    if (lastMessage !== undefined && lastMessage !== place.outputIndex) {
      textLength += SEPARATOR.length;
      sink.text(SEPARATOR);
    }
    lastMessage = place.outputIndex;
    const part = partAt(item, "text", place.partIndex);
    if (part.told === 0) part.base = textLength;
    note(part, text.length, true);
    sink.text(text);
  }

  function tellReasoning(
    item: ItemProgress,
    of: "summary" | "reasoning",
    partIndex: number,
    text: string,
  ): void {
    item.reasoning ??= of;
    if (item.reasoning !== of) return;
    const part = partAt(item, of, partIndex);
    if (part.told === 0 && reasoningTold) sink.reasoning(SEPARATOR);
    reasoningTold = true;
    note(part, text.length, false);
    sink.reasoning(text);
  }

  function tellRest(of: OutputText, place: OutputPlace, whole: string): void {
    const { told } = partAt(itemAt(place.outputIndex), of, place.partIndex);
    if (whole.length > told) tell(of, place, whole.slice(told));
  }

  function tellCitation(place: OutputPlace, citation: UrlCitation | undefined): void {
    if (citation === undefined) return;
    const part = partAt(itemAt(place.outputIndex), "text", place.partIndex);
    part.citations++;
    sink.citation({
      ...citation,
      startIndex: citation.startIndex + part.base,
      endIndex: citation.endIndex + part.base,
    });
  }

  function open(
    outputIndex: number,
    call: { readonly tool: "function" | "custom"; readonly callId: string; readonly name: string },
  ): void {
    const item = itemAt(outputIndex);
    if (item.callIndex !== undefined) return;
    item.callIndex = calls++;
    sink.call(item.callIndex, { tool: call.tool, id: call.callId, name: call.name });
  }

  function readItem(outputIndex: number, json: JsonObject): void {
    const item = readOutputItem(json);
    // Also items that tell nothing count as seen.
    itemAt(outputIndex);
    switch (item.kind) {
      case "message":
        item.parts.forEach((part, partIndex) => {
          const place = { outputIndex, partIndex };
          tellRest(part.kind, place, part.text);
          if (part.kind === "refusal") return;
          const { citations } = partAt(itemAt(outputIndex), "text", partIndex);
          for (const citation of part.citations.slice(citations)) tellCitation(place, citation);
        });
        break;
      case "reasoning":
        item.summary.forEach((text, partIndex) => tellRest("summary", { outputIndex, partIndex }, text));
        item.content.forEach((text, partIndex) => tellRest("reasoning", { outputIndex, partIndex }, text));
        break;
      case "call":
        open(outputIndex, item);
        tellRest("input", { outputIndex, partIndex: 0 }, item.input);
        break;
      case "other":
        break;
    }
  }

  return {
    read(event: ResponsesEvent): void {
      latest = undefined;
      switch (event.kind) {
        case "item_added": {
          const item = readOutputItem(event.item);
          if (item.kind === "call" && item.name !== "") open(event.outputIndex, item);
          break;
        }
        case "item_done":
          readItem(event.outputIndex, event.item);
          break;
        case "delta":
          tell(event.of, event.place, event.text);
          break;
        case "done":
          tellRest(event.of, event.place, event.text);
          break;
        case "annotation":
          tellCitation(event.place, readUrlCitation(event.annotation));
          break;
        case "ended":
          // Positions in a final output need not be those of the events: it counts only if there were none.
          if (items.size === 0) outputOf(event.response).forEach((item, index) => readItem(index, item));
          break;
      }
      // A whole text is told once: what follows it is not told again.
      if (event.kind !== "delta") latest = undefined;
    },
    readItem,
    get grow(): AnswerReader["grow"] {
      return latest === undefined ? undefined : grow;
    },
  };
}
