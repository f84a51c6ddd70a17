/**
 * What goes into a model call and what comes out of it, for the traffic log of an operator who has asked for bodies.
 *
 * @module
 */
import { maxLoggedBodyBytes, redactBody, tooManyBytes } from "../traffic/redact_body.ts";
import type { RequestBody } from "./model_request.ts";
import type { RequestTrace } from "./request_trace.ts";

/** Tells the request as it was understood, without credentials. */
export function tellRequestBody({ requestId, observe }: RequestTrace, { bytes, value }: RequestBody): void {
  const body = bytes ?? new TextEncoder().encode(JSON.stringify(value));
  observe({ kind: "body", requestId, of: "request", bytes: body.length, text: redactBody(body) });
}

/** `response`, which is told when it has ended, as far as the client has taken it. */
export function tellResponseBody({ requestId, observe }: RequestTrace, response: Response): Response {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const kept: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;

  async function tell(): Promise<void> {
    const text = bytes > maxLoggedBodyBytes ? tooManyBytes : redactBody(await new Blob(kept).bytes());
    observe({ kind: "body", requestId, of: "response", bytes, text });
  }

  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value } = await reader.read();
      if (value === undefined) {
        await tell();
        return controller.close();
      }
      bytes += value.length;
      if (bytes <= maxLoggedBodyBytes) kept.push(value.slice());
      controller.enqueue(value);
    },
    async cancel(reason) {
      await tell();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(body, response);
}
