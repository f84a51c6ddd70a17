/**
 * Reads what comes in over the control routes.
 *
 * @module
 */
import type { Fault, RecordedRequest, Switches } from "./contract.ts";
import { isMembers, type Members, membersOf } from "./members.ts";
import type { RequestFilter } from "./request_log.ts";
import { isSwitchValue, type SwitchChanges } from "./switches.ts";

const UPSTREAMS = Object.freeze(["chatgpt", "grok", "copilot"] as const);

const STEPS = Object.freeze(
  ["device", "poll", "exchange", "refresh", "user", "models", "call", "revoke"] as const,
);

const PLAIN_KINDS = Object.freeze(
  ["challenge", "slow_down", "drop", "hang", "overloaded_in_stream", "json_error_in_200"] as const,
);

const STREAM_KINDS = Object.freeze(
  [
    "stream_failed",
    "stream_incomplete",
    "stream_error_event",
    "stream_cut",
    "stream_eof",
    "stream_garbage",
    "stream_hang",
  ] as const,
);

const RECORD_STEPS = Object.freeze([...STEPS, "page", "other"] as const);
const ENDS = Object.freeze(["sent", "client_left", "dropped"] as const);

/** A fault, or undefined when the value is none. */
export function readFault(value: unknown): Fault | undefined {
  const fault = membersOf(value);
  const upstream = readUpstream(fault["upstream"]);
  const on = oneOf(STEPS, fault["on"]);
  const kind = readKind(membersOf(fault["kind"]));
  const times = fault["times"] ?? 1;
  if (upstream === undefined || on === undefined || kind === undefined) return undefined;
  if (typeof times !== "number" || !Number.isInteger(times) || times < 1) return undefined;
  return { upstream, on, kind, times };
}

/** The name of an upstream, or undefined. */
export function readUpstream(value: unknown): Fault["upstream"] | undefined {
  return oneOf(UPSTREAMS, value);
}

/** A filter from a query, or undefined when a word in it is unknown. */
export function readFilter(query: URLSearchParams): RequestFilter | undefined {
  const upstream = query.get("upstream");
  const on = query.get("on");
  const end = query.get("end");
  const path = query.get("path");
  const filter: { -readonly [Name in keyof RequestFilter]: RequestFilter[Name] | undefined } = {
    upstream: readUpstream(upstream),
    on: oneOf<RecordedRequest["on"]>(RECORD_STEPS, on),
    end: oneOf(ENDS, end),
  };
  const unknown = (upstream !== null && filter.upstream === undefined) ||
    (on !== null && filter.on === undefined) ||
    (end !== null && filter.end === undefined);
  if (unknown) return undefined;
  return {
    ...(filter.upstream === undefined ? {} : { upstream: filter.upstream }),
    ...(filter.on === undefined ? {} : { on: filter.on }),
    ...(filter.end === undefined ? {} : { end: filter.end }),
    ...(path === null ? {} : { path }),
  };
}

/** Changes of switches, or undefined when a name is unknown or a value is none that it takes. */
export function readSwitchChanges(value: unknown, present: Switches): SwitchChanges | undefined {
  if (!isMembers(value)) return undefined;
  for (const [upstream, changes] of Object.entries(value)) {
    const known = readUpstream(upstream);
    if (known === undefined || !isMembers(changes)) return undefined;
    const switches: Members = { ...present[known] };
    for (const [name, change] of Object.entries(changes)) {
      if (!isSwitchValue(name, change, switches[name])) return undefined;
    }
  }
  return value;
}

function readKind(kind: Members): Fault["kind"] | undefined {
  const type = kind["type"];
  if (type === "status") return readStatus(kind);
  const plain = oneOf(PLAIN_KINDS, type);
  if (plain !== undefined) return { type: plain };
  const stream = oneOf(STREAM_KINDS, type);
  const afterPieces = kind["afterPieces"];
  if (stream === undefined || typeof afterPieces !== "number" || !(afterPieces >= 0)) return undefined;
  return { type: stream, afterPieces };
}

function readStatus({ status, body, headers }: Members): Fault["kind"] | undefined {
  if (typeof status !== "number" || !Number.isInteger(status) || status < 200 || status > 599) {
    return undefined;
  }
  if (body !== undefined && typeof body !== "string") return undefined;
  const named = Object.entries(membersOf(headers)).filter((entry): entry is [string, string] =>
    typeof entry[1] === "string"
  );
  return {
    type: "status",
    status,
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers: Object.fromEntries(named) }),
  };
}

function oneOf<Word extends string>(words: readonly Word[], value: unknown): Word | undefined {
  return words.find((word) => word === value);
}
