/**
 * An event as a line of the traffic log.
 *
 * @module
 */
import { eventFields } from "./event_fields.ts";
import type { TrafficEvent } from "./observe.ts";

/**
 * Makes a printer of events: one JSON object with its line break,
 * `{"logged_at":"2026-11-22T09:30:00.000Z","kind":"response","request_id":"req_...",...}`.
 *
 * It runs several times for every request. So it prints member by member, and the second in which it is only once; that takes
 * half the time of an object that is built and then printed.
 */
export function createLogLines(): (event: TrafficEvent, atMs: number) => string {
  let second = NaN;
  /** The moment as far as it is the same for the whole second: `2026-11-22T09:30:00.` */
  let moment = "";
  return (event, atMs) => {
    const milliseconds = atMs % 1000;
    if (atMs - milliseconds !== second) {
      second = atMs - milliseconds;
      moment = new Date(atMs).toISOString().slice(0, -4);
    }
    const members: Readonly<Record<string, unknown>> = event;
    let line = `{"logged_at":"${moment}${String(milliseconds).padStart(3, "0")}Z","kind":"${event.kind}"`;
    for (const { name, member, print } of eventFields(event.kind)) {
      const value = print(members[member]);
      if (value === undefined) continue;
      line += `,"${name}":${typeof value === "string" ? JSON.stringify(value) : value}`;
    }
    return `${line}}\n`;
  };
}
