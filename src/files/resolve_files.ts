/**
 * Puts stored files into a request, in place of the ids by which the client names them: `file_id` in the parts of messages and
 * of tool outputs, in Chat Completions and in Responses.
 *
 * @module
 */
import { isGiven, isObject, type JsonObject } from "../wire/json.ts";
import type { FileOwner } from "./file_owner.ts";
import type { FileVault } from "./file_vault.ts";
import { type InlineForm, inlineForm } from "./inline_form.ts";

/** Where the files are and what becomes of them. */
export interface FileResolution {
  readonly vault: FileVault;
  readonly owner: FileOwner;
  /** The model's provider, as sentences name it. */
  readonly providerName: string;
  /** Whether the provider takes documents as `file_data`. */
  readonly takesDocuments: boolean;
  /** How many bytes of files one request may name in all; a file that is named twice counts twice, here and for the number. */
  readonly maxBytes: number;
}

/** A request whose files are in it. */
export type ResolvedFiles =
  /** The same object as before when it names no file. */
  | { readonly kind: "resolved"; readonly body: JsonObject }
  | FileRefusal;

/** A file that cannot be put in. `param` is the path of its part. */
export interface FileRefusal {
  readonly kind: "refused";
  readonly code: "file_not_found" | "unsupported_file" | "payload_too_large";
  readonly message: string;
  readonly param: string;
}

/** Files that one request may name: an empty one has no bytes to count, and brings its name along each time. */
const maxNamed = 1_000;

/** Resolves the files of a request body, which may have any shape: what is not understood stays as it is. */
export async function resolveFiles(body: JsonObject, resolution: FileResolution): Promise<ResolvedFiles> {
  // Most requests end here: the walk that waits for files costs a promise for each message of a conversation.
  if (!places.some((place) => mayNameFile(body, place))) return { kind: "resolved", body };
  const files = new RequestFiles(resolution);
  try {
    let resolved = body;
    for (const place of places) resolved = await withParts(resolved, place, files);
    return { kind: "resolved", body: resolved };
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
}

/** Where parts are: the list of messages or items, and the member of each that holds its parts. */
interface Place {
  readonly list: "messages" | "input";
  readonly member: "content" | "output";
}

const places: readonly Place[] = Object.freeze([
  { list: "messages", member: "content" },
  { list: "input", member: "content" },
  { list: "input", member: "output" },
]);

/** Whether a part of a type that may name a file stands there. */
function mayNameFile(body: JsonObject, { list, member }: Place): boolean {
  const items = body[list];
  if (!Array.isArray(items)) return false;
  return items.some((item) => {
    const parts = isObject(item) ? item[member] : undefined;
    return Array.isArray(parts) && parts.some((part) => namingPart(part) !== undefined);
  });
}

/** Ends the walk through a request; never leaves this module. */
class Refused extends Error {
  readonly refusal: FileRefusal;

  constructor(refusal: Omit<FileRefusal, "kind">) {
    super(refusal.code);
    this.refusal = { kind: "refused", ...refusal };
  }
}

async function withParts(
  body: JsonObject,
  { list, member }: Place,
  files: RequestFiles,
): Promise<JsonObject> {
  const items = await mapChanged(body[list], async (item, index) => {
    if (!isObject(item)) return item;
    const parts = await mapChanged(
      item[member],
      (part, position) => resolvePart(part, `${list}[${index}].${member}[${position}]`, files),
    );
    return parts === item[member] ? item : { ...item, [member]: parts };
  });
  return items === body[list] ? body : { ...body, [list]: items };
}

/** The same value when it is no array or nothing in it changes. */
async function mapChanged(
  list: unknown,
  change: (value: unknown, index: number) => unknown,
): Promise<unknown> {
  if (!Array.isArray(list)) return list;
  const values: readonly unknown[] = list;
  let changed: unknown[] | undefined;
  for (const [index, value] of values.entries()) {
    const instead = await change(value, index);
    if (instead !== value) (changed ??= [...values])[index] = instead;
  }
  return changed ?? list;
}

/** Puts the file into a part that names one. */
type ResolveNamed = (part: JsonObject, path: string, files: RequestFiles) => Promise<JsonObject>;

/** The parts that may name a file, by `type`. */
const namingParts: Readonly<Record<string, ResolveNamed>> = Object.freeze({
  input_file: async (part, path, files) => {
    const { file_id: id, filename: told, ...rest } = part;
    if (typeof id !== "string" || isGiven(part["file_data"])) return part;
    const { form, filename } = await files.read(id, path);
    if (form.kind === "text") return { ...rest, type: "input_text", text: form.text };
    if (form.kind === "image") return { ...rest, type: "input_image", image_url: form.dataUrl };
    return { ...rest, filename: told ?? filename, file_data: form.dataUrl };
  },
  input_image: async (part, path, files) => {
    const { file_id: id, ...rest } = part;
    if (typeof id !== "string" || isGiven(part["image_url"])) return part;
    return { ...rest, image_url: await files.readImage(id, path) };
  },
  file: async (part, path, files) => {
    const { file, ...rest } = part;
    if (!isObject(file)) return part;
    const { file_id: id, filename: told, ...members } = file;
    if (typeof id !== "string" || isGiven(file["file_data"])) return part;
    const { form, filename } = await files.read(id, `${path}.file`);
    if (form.kind === "text") return { ...rest, type: "text", text: form.text };
    if (form.kind === "image") return { ...rest, type: "image_url", image_url: { url: form.dataUrl } };
    return { ...part, file: { ...members, filename: told ?? filename, file_data: form.dataUrl } };
  },
  // Not in the reference; the older personal relay took it, with the id in either place.
  image_url: async (part, path, files) => {
    const { file_id: outer, image_url: image, ...rest } = part;
    const members = isObject(image) ? image : {};
    const { file_id: inner, ...others } = members;
    const id = inner ?? outer;
    if (typeof id !== "string" || isGiven(members["url"]) || typeof image === "string") return part;
    return { ...rest, image_url: { ...others, url: await files.readImage(id, path) } };
  },
});

function namingPart(part: unknown): ResolveNamed | undefined {
  const type = isObject(part) ? part["type"] : undefined;
  return typeof type === "string" && Object.hasOwn(namingParts, type) ? namingParts[type] : undefined;
}

async function resolvePart(part: unknown, path: string, files: RequestFiles): Promise<unknown> {
  return isObject(part) ? await namingPart(part)?.(part, path, files) ?? part : part;
}

interface ReadFile {
  readonly filename: string;
  readonly bytes: number;
  readonly form: InlineForm;
}

/** The files of one request, each read once. */
class RequestFiles {
  readonly #resolution: FileResolution;
  readonly #read = new Map<string, ReadFile>();
  #bytes = 0;
  #named = 0;

  constructor(resolution: FileResolution) {
    this.#resolution = resolution;
  }

  async read(id: string, path: string): Promise<ReadFile> {
    if (++this.#named > maxNamed) {
      throw new Refused({
        code: "payload_too_large",
        message: `A request may name at most ${maxNamed} files.`,
        param: path,
      });
    }
    const file = this.#read.get(id) ?? await this.#open(id, path);
    this.#read.set(id, file);
    this.#count(file.bytes, path);
    const { providerName, takesDocuments } = this.#resolution;
    if (file.form.kind === "document" && !takesDocuments) {
      throw new Refused({
        code: "unsupported_file",
        message:
          `${providerName} takes texts (UTF-8) and pictures (PNG, JPEG, GIF, WebP), and the file of '${path}' is neither.`,
        param: path,
      });
    }
    return file;
  }

  async readImage(id: string, path: string): Promise<string> {
    const { form } = await this.read(id, path);
    if (form.kind === "image") return form.dataUrl;
    throw new Refused({
      code: "unsupported_file",
      message: `The file of '${path}' is no picture. Pictures are PNG, JPEG, GIF or WebP.`,
      param: path,
    });
  }

  async #open(id: string, path: string): Promise<ReadFile> {
    const { vault, owner } = this.#resolution;
    const file = await vault.get(owner, id);
    if (file === undefined) {
      throw new Refused({
        code: "file_not_found",
        message: `The 'file_id' of '${path}' is unknown. GET /v1/files lists your files.`,
        param: path,
      });
    }
    // Before its bytes are held.
    this.#check(file.bytes, path);
    const bytes = new Uint8Array(file.bytes);
    let offset = 0;
    for await (const chunk of vault.content(owner, file)) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return { filename: file.filename, bytes: file.bytes, form: inlineForm(file.filename, bytes) };
  }

  #count(bytes: number, path: string): void {
    this.#check(bytes, path);
    this.#bytes += bytes;
  }

  #check(bytes: number, path: string): void {
    const { maxBytes } = this.#resolution;
    if (this.#bytes + bytes <= maxBytes) return;
    throw new Refused({
      code: "payload_too_large",
      message: `The files of one request may have at most ${maxBytes} bytes together.`,
      param: path,
    });
  }
}
