/**
 * An upload: a form that comes in piece by piece and is sealed and stored while it does. Whatever stops it, nothing is left.
 *
 * @module
 */
import type { FileOwner } from "../files/file_owner.ts";
import type { FileVault, Upload, UploadEnd, UploadLimits, VaultFile } from "../files/file_vault.ts";
import { type BodyLimits, bodyPieces } from "../guard/body_pieces.ts";
import { FormError, type FormEvent, type FormReader, readForm } from "../wire/multipart.ts";
import { errorResponse } from "./errors.ts";
import { unreadBodyResponse } from "./unread_body.ts";

/** What an upload works with. */
export interface FileUploadDependencies {
  readonly vault: FileVault;
  readonly uploads: UploadLimits;
  /** How long a body may take. How large it may be follows from `uploads`. */
  readonly bodyLimits: BodyLimits;
}

/** What files may be uploaded for (API reference, "Upload file"). The relay treats them all alike. */
const purposes: readonly string[] = Object.freeze([
  "assistants",
  "batch",
  "evals",
  "fine-tune",
  "user_data",
  "vision",
]);

/** What a form may have beside the bytes of its file. */
const maxFormBytes = 64 * 1024;

/** As many characters as common file systems allow; each request that names the file may carry the name along. */
const maxFilenameChars = 255;

/** What `expires_after[seconds]` may be (API reference): an hour to thirty days. */
const lifetimeSeconds = Object.freeze({ least: 3600, most: 2_592_000 });

/** Receives the upload of a request: the stored file, or the answer that says why there is none. */
export async function receiveUpload(
  request: Request,
  owner: FileOwner,
  dependencies: FileUploadDependencies,
): Promise<VaultFile | Response> {
  const { uploads, bodyLimits } = dependencies;
  const form = readForm(request.headers.get("content-type"));
  if (form === undefined) {
    return invalid("Send the file as multipart/form-data, with the fields 'file' and 'purpose'.", null);
  }
  const coding = request.headers.get("content-encoding");
  const maxBytes = uploads.maxUploadBytes + maxFormBytes;
  if (coding !== null && coding.toLowerCase() !== "identity") {
    // Codings that other routes take are not named: a form is read while it comes, and that only plain.
    const response = errorResponse("unsupported_content_encoding", "Send the form without compressing it.");
    response.headers.set("accept-encoding", "identity");
    return response;
  }

  const pieces = bodyPieces(request, { ...bodyLimits, maxBytes });
  const upload = new FormUpload(owner, dependencies);
  try {
    for (;;) {
      const piece = await pieces.next();
      switch (piece.kind) {
        case "piece": {
          const refused = await upload.takeAll(await form.write(piece.bytes));
          if (refused !== undefined) return refused;
          break;
        }
        case "end":
          return await upload.takeAll(await form.end()) ?? await upload.finish();
        case "too_large":
          return tooLargeResponse("file_too_large", uploads);
        case "timeout":
          return unreadBodyResponse("timeout", maxBytes);
        case "cut":
          return invalid("The request body ended before it was complete.", null);
      }
    }
  } catch (error) {
    if (error instanceof FormError) return invalid(error.message, null);
    throw error;
  } finally {
    await pieces.cancel();
    await upload.discard();
  }
}

/** The fields of one form, and its file on the way into the vault. */
class FormUpload {
  readonly #owner: FileOwner;
  readonly #vault: FileVault;
  readonly #limits: UploadLimits;
  readonly #fields = new Map<string, string>();
  #filename = "";
  #upload: Upload | undefined;

  constructor(owner: FileOwner, { vault, uploads }: FileUploadDependencies) {
    this.#owner = owner;
    this.#vault = vault;
    this.#limits = uploads;
  }

  /** Undefined as long as all is well. */
  async takeAll(events: Awaited<ReturnType<FormReader["write"]>>): Promise<Response | undefined> {
    for (const event of events) {
      const refused = await this.#take(event);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  async finish(): Promise<VaultFile | Response> {
    if (this.#upload === undefined) return missing("file");
    const purpose = this.#fields.get("purpose");
    if (purpose === undefined) return missing("purpose");
    if (!purposes.includes(purpose)) {
      return invalid(`'purpose' must be one of: ${purposes.join(", ")}.`, "purpose");
    }
    const lifetimeMs = this.#lifetimeMs();
    if (lifetimeMs instanceof Response) return lifetimeMs;
    const file = await this.#upload.complete({ filename: this.#filename, purpose, lifetimeMs });
    return typeof file === "string" ? tooLargeResponse(file, this.#limits) : file;
  }

  async discard(): Promise<void> {
    await this.#upload?.discard();
  }

  async #take(event: FormEvent): Promise<Response | undefined> {
    switch (event.kind) {
      case "field":
        if (!event.whole) return invalid("A field of the form is too long.", null);
        this.#fields.set(event.name, event.value);
        return undefined;
      case "file":
        if (event.field !== "file") {
          return invalid("The form may have a file in the field 'file' only.", null);
        }
        if (this.#upload !== undefined) return invalid("Upload one file at a time.", "file");
        if (event.filename.length > maxFilenameChars) {
          return invalid(`The name of a file may have at most ${maxFilenameChars} characters.`, "file");
        }
        this.#filename = event.filename;
        this.#upload = await this.#vault.upload(this.#owner);
        return this.#upload === undefined ? tooManyResponse() : undefined;
      case "bytes": {
        const written = await this.#upload?.write(event.bytes);
        return written === undefined || written === "written"
          ? undefined
          : tooLargeResponse(written, this.#limits);
      }
    }
  }

  #lifetimeMs(): number | undefined | Response {
    const anchor = this.#fields.get("expires_after[anchor]");
    const text = this.#fields.get("expires_after[seconds]");
    if (anchor === undefined && text === undefined) return undefined;
    if (anchor !== "created_at") {
      return invalid("'expires_after[anchor]' must be 'created_at'.", "expires_after[anchor]");
    }
    const { least, most } = lifetimeSeconds;
    const seconds = /^\d{1,8}$/.test(text ?? "") ? Number(text) : 0;
    return seconds >= least && seconds <= most ? seconds * 1000 : invalid(
      `'expires_after[seconds]' must be a whole number from ${least} to ${most}.`,
      "expires_after[seconds]",
    );
  }
}

function missing(field: string): Response {
  return invalid(`Missing required parameter: '${field}'.`, field);
}

function invalid(message: string, param: string | null): Response {
  return errorResponse("invalid_request", message, param);
}

function tooManyResponse(): Response {
  return errorResponse("payload_too_large", "You have too many files. Delete some.", "file");
}

function tooLargeResponse(end: UploadEnd, { maxUploadBytes, maxTotalUploadBytes }: UploadLimits): Response {
  switch (end) {
    case "file_too_large":
      return errorResponse("payload_too_large", `A file may have at most ${maxUploadBytes} bytes.`, "file");
    case "over_quota":
      return errorResponse(
        "payload_too_large",
        `Your files may have at most ${maxTotalUploadBytes} bytes together. Delete some.`,
        "file",
      );
    case "gone":
      return invalid("The upload was ended, because its session was or because it stood still.", "file");
  }
}
