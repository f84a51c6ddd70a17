/**
 * Knowing a conversation again without storing anything. Clients send the whole conversation with every turn, so its
 * beginning is its name; an upstream that is told the name finds the turns that it has cached.
 *
 * @module
 */
import { derivedUuid } from "../crypto/derived_uuid.ts";
import type { Dialect } from "../wire/dialect.ts";
import { isObject, type JsonObject } from "../wire/json.ts";
import type { Grant } from "./provider.ts";

/** Longer texts count with their beginning and their length: a first message may carry megabytes of images. */
const maxCountedChars = 8192;

/**
 * The id of the conversation in `body`: a UUID, the same in all its turns. It follows from the instructions and from the
 * items up to the first answer of the model. Conversations that begin alike have the same id, but only within one account:
 * the id is keyed with it, so that it links no two people.
 */
export function conversationId(dialect: Dialect, body: JsonObject, grant: Grant): string {
  const items = dialect === "chat" ? body["messages"] : body["input"];
  const beginning = JSON.stringify([body["instructions"] ?? "", beginningOf(items)], shortened);
  return derivedUuid(grant.accountId, beginning);
}

const askingRoles: ReadonlySet<unknown> = new Set(["user", "system", "developer"]);

/** What was said before the model first answered the person. A greeting of the model before that belongs to it. */
function beginningOf(items: unknown): readonly unknown[] {
  if (typeof items === "string") return [["user", items]];
  if (!Array.isArray(items)) return [];
  const beginning: unknown[] = [];
  let hasAsked = false;
  for (const item of items) {
    const role = isObject(item) ? item["role"] : undefined;
    if (hasAsked && !askingRoles.has(role)) break;
    hasAsked ||= role === "user";
    // Ids and marks for the cache may come and go between turns: only who said what counts.
    beginning.push(isObject(item) ? [role, plainContent(item["content"])] : item);
  }
  return beginning;
}

/** A text as one part and as a string is the same: clients repeat a first message in another form than they sent it. */
function plainContent(content: unknown): unknown {
  if (!Array.isArray(content) || content.length !== 1) return content;
  const [part]: unknown[] = content;
  return isObject(part) && typeof part["text"] === "string" ? part["text"] : content;
}

function shortened(_name: string, value: unknown): unknown {
  if (typeof value !== "string" || value.length <= maxCountedChars) return value;
  return `${value.slice(0, maxCountedChars)}${value.length}`;
}
