/**
 * The scripted faults that strike before an answer begins, the same for every upstream.
 *
 * @module
 */
import type { Fault, SandboxContext } from "./contract.ts";

/** Thrown by an upstream, or by a body, to close the connection as it is. */
export class ConnectionDropped extends Error {
  override readonly name = "ConnectionDropped";

  constructor() {
    super("The sandbox drops this connection on purpose.");
  }
}

/**
 * Carries out a fault that comes before the answer: resolves to the answer to send instead, or to undefined when the
 * upstream goes on normally (no fault, a fault of another kind, or a hang that was released). A `drop` rejects with
 * {@linkcode ConnectionDropped}, and so does a hang whose client left, so that nothing is consumed for nobody.
 *
 * @param typicalAnswer The upstream's own answer for a status whose body the script leaves open.
 */
export async function interruption(
  fault: Fault["kind"] | undefined,
  context: Pick<SandboxContext, "hang">,
  signal: AbortSignal,
  typicalAnswer: (status: number) => Response,
): Promise<Response | undefined> {
  switch (fault?.type) {
    case "status": {
      const typical = typicalAnswer(fault.status);
      const headers = new Headers(typical.headers);
      for (const [name, value] of Object.entries(fault.headers ?? {})) headers.set(name, value);
      const body = fault.body ?? await typical.text();
      return new Response(isBodyless(fault.status) ? null : body, { status: fault.status, headers });
    }
    case "challenge":
      return challengePage();
    case "drop":
      throw new ConnectionDropped();
    case "hang":
      await context.hang(signal);
      if (signal.aborted) throw new ConnectionDropped();
      return undefined;
    default:
      return undefined;
  }
}

/** Cloudflare's challenge page, cut down to what clients recognise it by. */
function challengePage(): Response {
  const page = `<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>` +
    `<meta name="robots" content="noindex,nofollow"></head><body><div class="main-wrapper" role="main">` +
    `<noscript>Enable JavaScript and cookies to continue</noscript></div>` +
    `<script>(function(){window._cf_chl_opt={cType:"managed"};})();</script></body></html>`;
  return new Response(page, {
    status: 403,
    headers: {
      "content-type": "text/html; charset=UTF-8",
      "cf-mitigated": "challenge",
      "cf-ray": "0000000000000000-LAX",
      server: "cloudflare",
    },
  });
}

/** Statuses that forbid a body (Fetch standard, "null body status"). */
function isBodyless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
