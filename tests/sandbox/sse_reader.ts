/**
 * Reads answers in tests of the sandbox, with nothing of the relay.
 *
 * @module
 */

/** One server-sent event as it came. */
export interface SentEvent {
  readonly event: string | undefined;
  readonly data: string;
}

/** The events of a text; comments are left out. */
export function readEvents(text: string): readonly SentEvent[] {
  return text.split("\n\n").flatMap((block) => {
    const lines = block.split("\n");
    const member = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const data = member("data");
    return data === undefined ? [] : [{ event: member("event"), data }];
  });
}

/** The JSON documents of a stream, without its closing `[DONE]`. */
export function documentsOf(text: string): readonly unknown[] {
  return readEvents(text).filter(({ data }) => data !== "[DONE]").map(({ data }) => JSON.parse(data));
}

/** The value at a dotted path, e.g. `choices.0.delta.content`; undefined where the path leads nowhere. */
export function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (inner, step) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, step)
        ? Reflect.get(inner, step)
        : undefined,
    value,
  );
}

/** All strings at a path of the documents, joined: for the pieces of a streamed answer. */
export function joined(documents: readonly unknown[], path: string): string {
  return documents.map((document) => at(document, path)).filter((text) => typeof text === "string").join("");
}
