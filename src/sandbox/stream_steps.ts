/**
 * A streamed answer as a list of steps, with the scripted stream faults worked in. The dialects say what their events
 * mean; this module knows none of them.
 *
 * @module
 */
import type { Fault } from "./contract.ts";

/** One step of a streamed answer. */
export type StreamStep<Event> =
  | { readonly kind: "event"; readonly event: Event }
  /** Text that goes out as it is: comments, garbage, `data: [DONE]`. */
  | { readonly kind: "text"; readonly text: string }
  /** Silence until the test releases hanging requests or the client leaves. */
  | { readonly kind: "hang" }
  /** The connection breaks. */
  | { readonly kind: "break" };

/** What a dialect's events mean, and how it tells the ends that are not normal. */
export interface StreamDialect<Event> {
  /** True for an event that carries a piece of answer text. */
  isPiece(event: Event): boolean;
  /** True for the event that ends a stream. */
  isLast(event: Event): boolean;
  /** What stands in for the rest of the answer when it fails, is cut by length, or ends in a bare error event. */
  readonly failed: readonly Event[];
  readonly incomplete: readonly Event[];
  readonly error: readonly Event[];
}

/**
 * The steps of an answer: its events, and `trailer` after the last one. A stream fault strikes when `afterPieces` pieces
 * have gone out, at the latest just before the last event. Other faults are ignored.
 */
export function* streamSteps<Event>(
  events: Iterable<Event>,
  fault: Fault["kind"] | undefined,
  dialect: StreamDialect<Event>,
  trailer = "",
): Generator<StreamStep<Event>> {
  let left = fault !== undefined && "afterPieces" in fault ? fault.afterPieces : Infinity;
  let struck = !Number.isFinite(left);
  for (const event of events) {
    const isPiece = dialect.isPiece(event);
    if (!struck && ((isPiece && left <= 0) || dialect.isLast(event))) {
      struck = true;
      const ending = strike(fault?.type, dialect);
      yield* ending.steps;
      if (ending.isOver) return;
    }
    yield { kind: "event", event };
    if (isPiece) left -= 1;
  }
  if (trailer !== "") yield { kind: "text", text: trailer };
}

function strike<Event>(
  type: Fault["kind"]["type"] | undefined,
  dialect: StreamDialect<Event>,
): { readonly steps: readonly StreamStep<Event>[]; readonly isOver: boolean } {
  const told = (events: readonly Event[]) => events.map((event) => ({ kind: "event", event }) as const);
  switch (type) {
    case "stream_failed":
      return { steps: told(dialect.failed), isOver: true };
    case "stream_incomplete":
      return { steps: told(dialect.incomplete), isOver: true };
    case "stream_error_event":
      return { steps: told(dialect.error), isOver: true };
    case "stream_cut":
      return { steps: [{ kind: "break" }], isOver: true };
    case "stream_eof":
      return { steps: [], isOver: true };
    case "stream_garbage":
      return { steps: [{ kind: "text", text: "data: {this is no JSON\n\n" }], isOver: false };
    case "stream_hang":
      return { steps: [{ kind: "hang" }], isOver: false };
    default:
      return { steps: [], isOver: false };
  }
}
