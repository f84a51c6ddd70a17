/**
 * The sign-in routes (design, section 4). Their details are fixed by clients in the field: any answer to a poll that is
 * not 2xx ends the sign-in there, and any answer to whoami that is not 2xx signs the user out.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { revoke } from "../credential/revoke.ts";
import type { Session, Sessions } from "../credential/session.ts";
import type { SignIns } from "../credential/sign_in.ts";
import { bearerToken } from "../guard/bearer.ts";
import { readJsonBody } from "../guard/body.ts";
import type { Provider, ProviderId } from "../provider/provider.ts";
import type { Observe } from "../traffic/observe.ts";
import {
  errorResponse,
  sentenceResponse,
  unauthorizedResponse,
  unsupportedCodingResponse,
} from "./errors.ts";

/** What the sign-in routes work with. */
export interface AuthDependencies {
  /** In the order in which they are offered. */
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly signIns: SignIns;
  readonly sessions: Sessions;
  readonly observe: Observe;
}

/** A start request is one short word; anything larger is not one. */
const maxStartBytes = 16 * 1024;

/** Adds the `/auth` routes. */
export function addAuthRoutes(app: Hono, { providers, signIns, sessions, observe }: AuthDependencies): void {
  app.get("/auth/providers", (context) =>
    context.json({
      providers: [...providers.values()].map(({ id, displayName }) => ({ id, displayName })),
    }));

  app.post("/auth/start", async (context) => {
    const body = await readJsonBody(context.req.raw, maxStartBytes);
    if (body.kind === "too_large") {
      return errorResponse("payload_too_large", `The request body may have at most ${maxStartBytes} bytes.`);
    }
    if (body.kind === "unknown_coding") return unsupportedCodingResponse();
    if (body.kind === "invalid") return sentenceResponse(400, body.message);
    // Only a missing provider means ChatGPT. An unknown one must not: the person would sign in to the wrong service.
    const asked = body.kind === "empty" ? undefined : body.value["provider"];
    const provider = [...providers.values()].find(({ id }) => id === (asked ?? "openai"));
    if (provider === undefined) {
      const offered = [...providers.keys()].join(", ");
      return sentenceResponse(
        400,
        `This relay does not offer the requested provider. It offers: ${offered}.`,
      );
    }
    const started = await signIns.start(provider);
    switch (started.kind) {
      case "full":
        return sentenceResponse(503, "Too many sign-ins are open at the moment. Try again in a few minutes.");
      case "failed":
        return sentenceResponse(
          502,
          `${provider.displayName} did not start the sign-in. Try again in a moment.`,
        );
      case "started": {
        const { sessionId, userCode, verificationUrl, expiresInMs, pollIntervalMs } = started;
        return noStore(context).json({
          sessionId,
          provider: provider.id,
          userCode,
          verificationUrl,
          expiresInMs,
          pollIntervalMs,
        });
      }
    }
  });

  app.get("/auth/poll/:sessionId", async (context) => {
    // A store that is down for a moment must not end somebody's sign-in, so even a fault is answered `pending`.
    const result = await signIns.poll(context.req.param("sessionId")).catch((error: unknown) => {
      observe({ kind: "fault", route: "/auth/poll", message: faultMessage(error) });
      return { kind: "pending" } as const;
    });
    switch (result.kind) {
      case "not_found":
        return context.json({ status: "error", error: "session not found" }, 404);
      case "pending":
      case "expired":
        return noStore(context).json({ status: result.kind });
      case "complete":
        return noStore(context).json({ status: "complete", jwt: result.jwt });
      case "error":
        return noStore(context).json({ status: "error", error: result.message });
    }
  });

  app.get("/auth/whoami", async (context) => {
    const session = await authenticate(context.req.raw, "/auth/whoami", sessions, observe);
    if (session === undefined) return unauthorizedResponse();
    return noStore(context).json({
      user: { id: session.userId, provider: session.provider.id },
      session: { expires: session.expiresAtS },
    });
  });

  app.post("/auth/revoke", async (context) => {
    const session = await authenticate(context.req.raw, "/auth/revoke", sessions, observe);
    if (session === undefined) return unauthorizedResponse();
    await revoke(session, sessions);
    return context.body(null, 204);
  });
}

/** Opens the session of a request; a refusal is logged with its reason and nothing of it reaches the caller. */
export async function authenticate(
  request: Request,
  route: string,
  sessions: Sessions,
  observe: Observe,
): Promise<Session | undefined> {
  const opened = await sessions.open(bearerToken(request.headers));
  if (opened.kind === "open") return opened.session;
  observe({ kind: "authentication_failed", route, reason: opened.reason });
  return undefined;
}

/** The message of an unexpected error, for the operator. */
export function faultMessage(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : "Unknown fault.";
}

/** Answers that carry a code, a JWT or an identity do not belong into any cache. */
function noStore(context: Context): Context {
  context.header("cache-control", "no-store");
  return context;
}
