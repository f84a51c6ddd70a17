/**
 * The fields of every event as the log writes them: which there are, in which order, and what each may hold. The types of
 * observe.ts end where the program runs; this table is what an object with one member too many, or with a text that nobody
 * expected, meets on its way to the disk.
 *
 * @module
 */
import { safeSentence, withoutSecrets } from "../wire/safe_text.ts";
import type { TrafficEvent, TrafficEventKind } from "./observe.ts";

/** A value as it may be printed. */
export type FieldValue = string | number | boolean | null;

/** What a field may hold: the value to print, or undefined to leave the field out. */
type Rule = (value: unknown) => FieldValue | undefined;

type EventOf<K extends TrafficEventKind> = Extract<TrafficEvent, { kind: K }>;

/** One rule for each member: a member without a rule does not compile. */
type Table = {
  readonly [K in TrafficEventKind]: { readonly [F in Exclude<keyof EventOf<K>, "kind">]-?: Rule };
};

/** The longest sentence that is written, characters. */
const maxSentenceChars = 400;

/**
 * The longest word, characters. One less than 32 random bytes have in base64url: whatever a client puts where the name of a
 * model belongs, none of our own credentials is written in full.
 */
const maxWordChars = 42;

/** What stands for a word that is not printed. */
const unprintable = "[unprintable]";

/** A name of our own: of a provider, a dialect, a reason; an address. */
function name(value: unknown): FieldValue | undefined {
  if (value === null) return null;
  if (typeof value !== "string") return undefined;
  return value.length <= maxWordChars ? value : unprintable;
}

/** A word that a client or an upstream chose: no sentence and no credential can be in it. */
function word(value: unknown): FieldValue | undefined {
  if (value === null) return null;
  if (typeof value !== "string") return undefined;
  const plain = value.length <= maxWordChars && /^[\w.:/-]*$/.test(value);
  return plain && withoutSecrets(value, []) === value ? value : unprintable;
}

/** So many names of parameters are written. */
const maxParameters = 16;

/** Names of parameters. Those that are none, which a client may have made up to hold anything, are only counted. */
function parameters(value: unknown): FieldValue | undefined {
  if (!Array.isArray(value)) return undefined;
  const names = value.filter((item) => typeof item === "string" && /^[a-z][a-z0-9_.[\]]{0,41}$/.test(item))
    .slice(0, maxParameters);
  const others = value.length - names.length;
  return [...names, ...(others === 0 ? [] : [`and ${others} more`])].join(", ");
}

/** A request method; clients may make their own ones up. */
function method(value: unknown): FieldValue | undefined {
  return typeof value === "string" && /^[A-Z]{3,7}$/.test(value) ? value : unprintable;
}

/** A request id of ours. */
function id(value: unknown): FieldValue | undefined {
  return typeof value === "string" && /^req_[0-9A-Z]{26}$/.test(value) ? value : undefined;
}

/** The pattern of a route, as the program has it. */
function route(value: unknown): FieldValue | undefined {
  return typeof value === "string" && value.length <= 100 && !value.includes("?") ? value : undefined;
}

/** What follows the path in an address. Errors of `fetch` name the address that they could not reach. */
const addressQuery = /(\bhttps?:\/\/[^\s?#]*)[?#]\S*/g;

/** Words of ours or of an error, in one line and without credentials. */
function sentence(value: unknown): FieldValue | undefined {
  const text = typeof value === "string" ? value.replace(addressQuery, "$1") : value;
  return safeSentence(text, [], maxSentenceChars) ?? "";
}

function number(value: unknown): FieldValue | undefined {
  if (value === null) return null;
  return typeof value === "number" && Number.isFinite(value) ? Math.round(value) : undefined;
}

function flag(value: unknown): FieldValue | undefined {
  return typeof value === "boolean" ? value : undefined;
}

/** Text that was asked for and has been through redact_body.ts. */
function redacted(value: unknown): FieldValue | undefined {
  return typeof value === "string" ? value : undefined;
}

const table: Table = Object.freeze<Table>({
  started: { version: name, origin: sentence, app: flag, personal: flag },
  stopped: { finished: flag },
  relay_token: { source: name, fingerprint: name },
  request: { requestId: id, method, route, address: name },
  response: { requestId: id, route, status: number, durationMs: number },
  authentication_failed: {
    requestId: id,
    route,
    reason: name,
    address: name,
    fingerprint: name,
    blocked: flag,
  },
  rejected: { requestId: id, route, address: name, code: name, retryAfterSeconds: number },
  adaptation: { requestId: id, provider: name, model: word, from: name, to: name, ignored: parameters },
  upstream_request: { requestId: id, provider: name, model: word, dialect: name, attempt: number },
  upstream_response: { requestId: id, provider: name, purpose: name, durationMs: number },
  upstream_error: {
    requestId: id,
    provider: name,
    purpose: name,
    status: number,
    code: word,
    durationMs: number,
  },
  retry: { requestId: id, provider: name, attempt: number, pauseMs: number },
  answer_ended: {
    requestId: id,
    provider: name,
    model: word,
    streamed: flag,
    end: name,
    reason: word,
    durationMs: number,
    inputTokens: number,
    cachedTokens: number,
    outputTokens: number,
    reasoningTokens: number,
  },
  body: { requestId: id, of: name, bytes: number, text: redacted },
  sign_in_failed: { requestId: id, provider: name, reason: name },
  sign_in_delayed: { requestId: id, provider: name, reason: name },
  refresh_failed: { requestId: id, provider: name, ended: flag, reason: name },
  limits_unshared: { message: sentence },
  fault: { requestId: id, route, message: sentence },
  log_resumed: { lost: number },
});

/** A field of an event. */
export interface EventField {
  /** Its name in the log: `request_id`. */
  readonly name: string;
  /** The event's member: `requestId`. */
  readonly member: string;
  /** What may be printed of the member's value; undefined when the field is left out. */
  readonly print: Rule;
}

const fields: Readonly<Record<string, readonly EventField[]>> = Object.freeze(
  Object.fromEntries(Object.entries(table).map(([kind, rules]) => [kind, Object.freeze(fieldsOf(rules))])),
);

/**
 * The fields that the log has for a kind of event, in their order. Members that are not among them are not printed, and values
 * that their rule does not allow are left out or replaced.
 */
export function eventFields(kind: TrafficEventKind): readonly EventField[] {
  return fields[kind] ?? [];
}

function fieldsOf(rules: Readonly<Record<string, Rule>>): EventField[] {
  return Object.entries(rules).map(([member, print]) => {
    const name = member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return Object.freeze({ name, member, print });
  });
}
