/**
 * The first half of a model call: from bytes to a request that is known to be allowed and to have a sign-in that answers it.
 * Nothing of it reaches an upstream.
 *
 * @module
 */
import type { Session } from "../credential/session.ts";
import type { FileVault } from "../files/file_vault.ts";
import { resolveFiles } from "../files/resolve_files.ts";
import { readJsonBody } from "../guard/body.ts";
import type { BodyLimits } from "../guard/body_pieces.ts";
import { type ClientDialect, type ClientRequest, readClientRequest } from "../translate/client_request.ts";
import type { JsonObject } from "../wire/json.ts";
import type { Caller } from "./caller.ts";
import { errorResponse, noLoginResponse, notOfferedResponse, refusalResponse } from "./errors.ts";
import { asksForTools, toolsDisabledResponse } from "./no_tools.ts";
import { unreadBodyResponse } from "./unread_body.ts";

/** A model call as it came in. */
export interface ModelCall {
  readonly request: Request;
  readonly requestId: string;
  /** The dialect that the client speaks. */
  readonly client: ClientDialect;
  readonly caller: Caller;
  /** False below `/no-tools`. */
  readonly toolsAllowed: boolean;
  /** Keeps the request's place among those in progress until the returned function is called: for an answer that streams. */
  readonly hold: () => () => void;
}

/** What reading a request works with. */
export interface ModelRequestDependencies {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** For the request body. */
  readonly bodyLimits: BodyLimits;
  /** Of the files that requests name. */
  readonly vault: FileVault;
}

/** A request that may be planned. */
export interface ModelRequest {
  readonly kind: "request";
  /** The sign-in that answers. */
  readonly session: Session;
  readonly asked: ClientRequest;
  readonly body: RequestBody;
}

/** `bytes` are the client's own, decompressed; absent when `value` is no longer what they say. */
export interface RequestBody {
  readonly value: JsonObject;
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** Reads a request, or answers what is wrong with it. Rejects when the client left, with its signal's reason. */
export async function readModelRequest(
  { request, client, caller, toolsAllowed }: ModelCall,
  { now, bodyLimits, vault }: ModelRequestDependencies,
): Promise<ModelRequest | Response> {
  const read = await readJsonBody(request, bodyLimits);
  switch (read.kind) {
    case "too_large":
    case "timeout":
    case "unknown_coding":
      return unreadBodyResponse(read.kind, bodyLimits.maxBytes);
    case "empty":
      return errorResponse("invalid_json", "The request has no body. Send a JSON object.");
    case "invalid":
      return errorResponse("invalid_json", read.message);
  }
  const asked = readClientRequest(client, read.value, Math.floor(now() / 1000));
  if (asked.kind === "refused") return refusalResponse(asked);
  if (!toolsAllowed && asksForTools(read.value)) return toolsDisabledResponse();
  const chosen = await caller.sessionFor(asked.wishes.model);
  switch (chosen.kind) {
    case "not_offered":
      return notOfferedResponse();
    case "no_login":
      return noLoginResponse(chosen.provider);
    case "session": {
      const { session } = chosen;
      // What was judged is what is sent: a member that the client's bytes have twice is to the upstream what it may be to us.
      const judged = toolsAllowed ? read : { value: read.value };
      const named = underItsName(chosen.model, asked, judged);
      const { value } = named.body;
      const resolved = await resolveFiles(value, {
        vault,
        owner: caller.files,
        providerName: session.provider.displayName,
        takesDocuments: session.provider.takesDocuments,
        maxBytes: bodyLimits.maxBytes,
      });
      if (resolved.kind === "refused") return errorResponse(resolved.code, resolved.message, resolved.param);
      const body = resolved.body === value ? named.body : { value: resolved.body };
      return { kind: "request", session, asked: named.asked, body };
    }
  }
}

/** The request with the model's id as its provider knows it. */
function underItsName(
  model: string,
  asked: ClientRequest,
  body: RequestBody,
): Pick<ModelRequest, "asked" | "body"> {
  if (model === asked.wishes.model) return { asked, body };
  return {
    asked: { ...asked, wishes: { ...asked.wishes, model } },
    body: { value: { ...body.value, model } },
  };
}
