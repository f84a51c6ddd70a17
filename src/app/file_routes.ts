/**
 * The files API (API reference, "Files"). Files are kept here, sealed under their owner's key; no upstream sees one before
 * a request names it.
 *
 * @module
 */
import type { Hono } from "hono";
import type { VaultFile, VaultQuery } from "../files/file_vault.ts";
import { streamOf, withEnd } from "../wire/byte_source.ts";
import { errorResponse } from "./errors.ts";
import { type FileUploadDependencies, receiveUpload } from "./file_upload.ts";
import type { CallerEnv } from "./relay_env.ts";

/** What `limit` may be at most, and is when absent (API reference, "List files"). */
const maxListed = 10_000;

/** Adds the `/files` routes. */
export function addFileRoutes(routes: Hono<CallerEnv>, dependencies: FileUploadDependencies): void {
  const { vault } = dependencies;

  routes.post("/files", async (context) => {
    const file = await receiveUpload(context.req.raw, context.var.caller.files, dependencies);
    return file instanceof Response ? file : Response.json(describe(file));
  });

  routes.get("/files", async (context) => {
    // Not by `new URL`, which a `Host` that is none would make throw.
    const query = readQuery(new URLSearchParams(context.req.query()));
    if (query instanceof Response) return query;
    const { files, hasMore } = await vault.list(context.var.caller.files, query);
    return Response.json({
      object: "list",
      data: files.map(describe),
      first_id: files[0]?.id ?? null,
      last_id: files.at(-1)?.id ?? null,
      has_more: hasMore,
    });
  });

  routes.get("/files/:id", async (context) => {
    const file = await vault.get(context.var.caller.files, context.req.param("id"));
    return file === undefined ? notFound() : Response.json(describe(file));
  });

  routes.delete("/files/:id", async (context) => {
    const id = context.req.param("id");
    const deleted = await vault.delete(context.var.caller.files, id);
    return deleted ? Response.json({ id, object: "file", deleted: true }) : notFound();
  });

  routes.get("/files/:id/content", async (context) => {
    const owner = context.var.caller.files;
    const file = await vault.get(owner, context.req.param("id"));
    if (file === undefined) return notFound();
    // Nobody reads the body of an answer to HEAD, nor cancels it.
    const release = context.req.raw.method === "HEAD" ? () => {} : context.var.hold();
    return new Response(contentStream(vault.content(owner, file), release), {
      headers: {
        // Never the type that an uploader declared: nothing of it shall run as a page of this origin.
        "content-type": "application/octet-stream",
        "content-disposition": `attachment; filename*=UTF-8''${encodeExtValue(file.filename)}`,
        "content-length": String(file.bytes),
        "x-content-type-options": "nosniff",
      },
    });
  });
}

/** The content, opened as fast as the client reads; `release` is called once, when it has ended in whatever way. */
function contentStream(
  content: AsyncGenerator<Uint8Array<ArrayBuffer>, void>,
  release: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = {
    read: async () => (await content.next()).value ?? undefined,
    cancel: async () => void await content.return(),
  };
  return streamOf(withEnd(source, release));
}

function describe({ id, bytes, createdAtMs, expiresAtMs, filename, purpose }: VaultFile): object {
  return {
    id,
    object: "file",
    bytes,
    created_at: Math.floor(createdAtMs / 1000),
    ...(expiresAtMs === undefined ? {} : { expires_at: Math.floor(expiresAtMs / 1000) }),
    filename,
    purpose,
    status: "processed",
  };
}

function readQuery(parameters: URLSearchParams): VaultQuery | Response {
  const order = parameters.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") {
    return errorResponse("invalid_request", "'order' must be 'asc' or 'desc'.", "order");
  }
  const text = parameters.get("limit") ?? String(maxListed);
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > maxListed) {
    return errorResponse(
      "invalid_request",
      `'limit' must be a whole number from 1 to ${maxListed}.`,
      "limit",
    );
  }
  return {
    order,
    limit,
    after: parameters.get("after") ?? undefined,
    purpose: parameters.get("purpose") ?? undefined,
  };
}

function notFound(): Response {
  return errorResponse(
    "file_not_found",
    "You have no file with this id. GET /v1/files lists your files.",
    "id",
  );
}

/** RFC 8187 section 3.2.1. What cannot be encoded, half of a surrogate pair, was replaced when the form was decoded. */
function encodeExtValue(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}
