/**
 * A line of the traffic log as people read it.
 *
 * @module
 */
import { nonEmptyString, parseObject } from "../wire/json.ts";
import { fieldText, printable } from "./field_text.ts";
import { dim, type Style, styled, type Terminal } from "./terminal.ts";

/** The kinds that a person looks for. Everything else is the ordinary course of things. */
const kindStyles: Readonly<Record<string, Style>> = Object.freeze({
  fault: "red",
  upstream_error: "red",
  authentication_failed: "red",
  rejected: "red",
  refresh_failed: "red",
  sign_in_failed: "red",
  limits_unshared: "red",
  log_resumed: "red",
  retry: "yellow",
  sign_in_delayed: "yellow",
  started: "green",
  stopped: "green",
});

/** `authentication_failed` is the longest. */
const kindWidth = 22;

/** The end of a request id tells requests of one screen apart; its beginning is the time. */
const shownIdLength = 6;

/**
 * `2026-11-22 09:30:00.000  5G3KX2  response  route=/v1/models status=200`, with the end of the request id. A line that is no
 * event is given as it is, except for what a terminal would obey.
 */
export function logText(terminal: Terminal, line: string): string {
  const record = parseObject(line);
  const loggedAt = nonEmptyString(record?.["logged_at"]);
  const kind = nonEmptyString(record?.["kind"]);
  if (record === undefined || loggedAt === undefined || kind === undefined) return printable(line);
  const { logged_at: _at, kind: _kind, request_id: id, ...fields } = record;
  const pairs = Object.entries(fields)
    // An empty text or list says what its absence says.
    .filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${dim(terminal, `${name}=`)}${fieldText(value)}`);
  const style = kindStyles[kind];
  const padded = printable(kind).padEnd(kindWidth);
  return [
    dim(terminal, printable(loggedAt.replace("T", " ").replace("Z", ""))),
    dim(terminal, (nonEmptyString(id)?.slice(-shownIdLength) ?? "").padEnd(shownIdLength)),
    style === undefined ? padded : styled(terminal, style, padded),
    pairs.join(" "),
  ].join("  ").trimEnd();
}
