/**
 * The running log on standard error: a line for each event that a person who watches has to know. The whole of the traffic is
 * in the traffic log.
 *
 * @module
 */
import { eventFields } from "../traffic/event_fields.ts";
import type { TrafficEvent } from "../traffic/observe.ts";
import { fieldText } from "./field_text.ts";

/**
 * `2026-11-22T09:30:00.000Z sign_in_failed provider=xai reason="device code refused"`; never more than one line. Undefined for
 * what happens in the ordinary course of traffic.
 */
export function eventLine(event: TrafficEvent, nowMs: number): string | undefined {
  if (!isTrouble(event)) return undefined;
  const members: Readonly<Record<string, unknown>> = event;
  const pairs = eventFields(event.kind).flatMap(({ name, member, print }) => {
    const value = print(members[member]);
    return value === undefined ? [] : [`${name}=${fieldText(value)}`];
  });
  return [new Date(nowMs).toISOString(), event.kind, ...pairs].join(" ");
}

function isTrouble(event: TrafficEvent): boolean {
  switch (event.kind) {
    case "authentication_failed":
    case "sign_in_failed":
    case "sign_in_delayed":
    case "refresh_failed":
    case "upstream_error":
    case "limits_unshared":
    case "fault":
      return true;
    case "answer_ended":
      return event.end === "failed" || event.end === "cut";
    default:
      // A request that a limit refuses is not among them: a flood of them must not become a flood of lines.
      return false;
  }
}
