/**
 * The first thing that an upstream does when it knows which step a request is: write that down, and let a scripted
 * fault strike.
 *
 * @module
 */
import type { Fault, RecordedRequest, SandboxContext } from "./contract.ts";
import { interruption } from "./interruption.ts";

/** How a step begins. */
export type BegunStep =
  /** A fault took the request's place. */
  | { readonly kind: "answered"; readonly response: Response }
  /** Go on; `fault` is one that strikes later (`slow_down` and the faults of streams). */
  | { readonly kind: "go_on"; readonly fault: Fault["kind"] | undefined };

/**
 * Sets `record.on` and takes the next matching fault. Rejects with `ConnectionDropped` as interruption.ts says; nothing
 * must have been consumed before.
 *
 * @param typicalAnswer The upstream's own answer for a status whose body the script leaves open.
 */
export async function beginStep(
  context: SandboxContext,
  request: Request,
  record: RecordedRequest,
  on: Fault["on"],
  typicalAnswer: (status: number) => Response,
): Promise<BegunStep> {
  record.on = on;
  const fault = context.takeFault(record.upstream, on);
  const response = await interruption(fault, context, request.signal, typicalAnswer);
  return response === undefined ? { kind: "go_on", fault } : { kind: "answered", response };
}
