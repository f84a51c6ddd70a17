/**
 * Forms with files (RFC 7578), read piece by piece.
 *
 * @module
 */
import { Busboy } from "@fastify/busboy";

/** What a form turned out to contain, in order. */
export type FormEvent =
  /** A part that has a file name; its bytes follow. */
  | {
    readonly kind: "file";
    readonly field: string;
    /** Without folders; well-formed Unicode, whatever encoding the client named. */
    readonly filename: string;
    /** As the client declared it. */
    readonly contentType: string;
  }
  /** Some of the bytes of the last file. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** A part without a file name; `whole` is false when its value is longer than 4 KiB. */
  | { readonly kind: "field"; readonly name: string; readonly value: string; readonly whole: boolean };

/** Reads one form. After an error nothing more may be written. */
export interface FormReader {
  /** What the next piece of the body brought. Rejects with a {@linkcode FormError}. */
  write(piece: Uint8Array): Promise<readonly FormEvent[]>;
  /** What was still held back when the body ended. Rejects with a {@linkcode FormError}, also when the form is cut. */
  end(): Promise<readonly FormEvent[]>;
}

/** The body is not the form that its `Content-Type` announces, is cut, or has more parts than any client of ours sends. */
export class FormError extends Error {
  override readonly name = "FormError";
}

/** Far above what the API's forms have, and low enough that no form costs more than its bytes. */
const limits = Object.freeze({
  parts: 32,
  fieldSize: 4096,
  fieldNameSize: 128,
  headerPairs: 16,
  headerSize: 8192,
});

const formType = /^\s*multipart\/form-data\s*;.*\bboundary="?[^\s";]/i;

/**
 * A reader for the form that `contentType` announces; undefined unless it is `multipart/form-data` with a boundary that can be
 * one.
 */
export function readForm(contentType: string | null): FormReader | undefined {
  if (contentType === null || !formType.test(contentType)) return undefined;
  try {
    return new BusboyReader(contentType);
  } catch {
    // The parser throws when the boundary is another parameter's end (`x-boundary`), or has some hundred characters.
    return undefined;
  }
}

class BusboyReader implements FormReader {
  readonly #parser: InstanceType<typeof Busboy>;
  readonly #finished: Promise<void>;
  #events: FormEvent[] = [];
  #problem: string | undefined;

  constructor(contentType: string) {
    const parser = new Busboy({
      headers: { "content-type": contentType },
      limits,
      isPartAFile: (_field, _type, filename) => filename !== undefined,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#parser = parser;
    this.#finished = promise;
    const fail = (problem: string) => {
      this.#problem ??= problem;
      resolve();
    };
    parser.on("file", (field, file, filename, _encoding, type) => {
      this.#events.push({
        kind: "file",
        field: field ?? "",
        filename: (filename ?? "").toWellFormed(),
        contentType: type,
      });
      file.on("data", (bytes: Uint8Array) => this.#events.push({ kind: "bytes", bytes }));
      // An error event that nobody listens to would end the process. The parser tells the same of itself.
      file.on("error", () => fail(malformed));
    });
    parser.on("field", (name, value, nameTruncated, valueTruncated) => {
      this.#events.push({ kind: "field", name, value, whole: !nameTruncated && !valueTruncated });
    });
    parser.on("partsLimit", () => fail(`The form has more than ${limits.parts} parts.`));
    parser.on("error", () => fail(malformed));
    parser.on("finish", resolve);
  }

  async write(piece: Uint8Array): Promise<readonly FormEvent[]> {
    const written = Promise.withResolvers<void>();
    this.#parser.write(piece, () => written.resolve());
    // A parser that has failed may never call back.
    await Promise.race([written.promise, this.#finished]);
    return this.#take();
  }

  async end(): Promise<readonly FormEvent[]> {
    this.#parser.end();
    await this.#finished;
    return this.#take();
  }

  #take(): readonly FormEvent[] {
    if (this.#problem !== undefined) throw new FormError(this.#problem);
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

const malformed = "The request body is not a complete multipart/form-data document.";
