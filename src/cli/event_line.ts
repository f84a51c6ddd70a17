/**
 * The running log: one line for each event that an operator may want to know.
 *
 * @module
 */
import type { TrafficEvent } from "../traffic/observe.ts";

/** `2026-11-22T09:30:00.000Z sign_in_failed provider=xai reason="device code refused"`; never more than one line. */
export function eventLine(event: TrafficEvent, nowMs: number): string {
  const { kind, ...fields } = event;
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`);
  return [new Date(nowMs).toISOString(), kind, ...pairs].join(" ");
}

/** Quoted unless plainly one word, so that no field can fake another one or a second line. */
function fieldText(value: string | number | boolean | null): string {
  const text = String(value);
  return /^[\w./:*-]+$/.test(text) ? text : JSON.stringify(text);
}
