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
import { fingerprint } from "../crypto/secret.ts";
import { bearerToken } from "../guard/bearer.ts";
import { readJsonBody } from "../guard/body.ts";
import type { BodyLimits } from "../guard/body_pieces.ts";
import type { Limiter } from "../guard/limits.ts";
import type { Provider, ProviderId } from "../provider/provider.ts";
import type { Observe } from "../traffic/observe.ts";
import { addressOf } from "./admit_caller.ts";
import { sentenceResponse, unauthorizedResponse } from "./errors.ts";
import { faultMessage } from "./fault_message.ts";
import type { RelayEnv } from "./relay_env.ts";
import { unreadBodySentence } from "./unread_body.ts";

/** What the sign-in routes work with. */
export interface AuthDependencies {
  /** In the order in which they are offered. */
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly signIns: SignIns;
  readonly sessions: Sessions;
  /** Limits how often sign-ins are started; absent: nothing does. */
  readonly limiter?: Limiter | undefined;
  /** For the one body that is read. */
  readonly bodyLimits: BodyLimits;
  readonly observe: Observe;
}

/** A start request is one short word; anything larger is not one. */
const maxStartBytes = 16 * 1024;

/** Adds the `/auth` routes. */
export function addAuthRoutes(
  app: Hono<RelayEnv>,
  { providers, signIns, sessions, limiter, bodyLimits, observe }: AuthDependencies,
): void {
  app.get("/auth/providers", (context) =>
    context.json({
      providers: [...providers.values()].map(({ id, displayName }) => ({ id, displayName })),
    }));

  app.post("/auth/start", async (context) => {
    const address = addressOf(context, limiter);
    const entered = limiter?.admitStart(address);
    if (entered?.kind === "refused") {
      const { code, retryAfterSeconds } = entered;
      const { requestId } = context.env;
      observe({
        kind: "rejected",
        requestId,
        route: "/auth/start",
        address: address.key,
        code,
        retryAfterSeconds,
      });
      return sentenceResponse(
        429,
        `Too many sign-ins were started from your network. Try again in ${retryAfterSeconds} seconds.`,
        entered.headers,
      );
    }
    // Only the rate counts: a start holds no place.
    entered?.leave();
    const body = await readJsonBody(context.req.raw, { ...bodyLimits, maxBytes: maxStartBytes });
    if (body.kind === "invalid") return sentenceResponse(400, body.message);
    if (body.kind !== "empty" && body.kind !== "object") return unreadBodySentence(body.kind, maxStartBytes);
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
    const session = await authenticate(context, "/auth/whoami");
    if (session === undefined) return unauthorizedResponse();
    return noStore(context).json({
      user: { id: session.userId, provider: session.provider.id },
      session: { expires: session.expiresAtS },
    });
  });

  app.post("/auth/revoke", async (context) => {
    const session = await authenticate(context, "/auth/revoke");
    if (session === undefined) return unauthorizedResponse();
    await revoke(session, sessions);
    return context.body(null, 204);
  });

  /** Opens the session of a request; a refusal is logged with its reason and nothing of it reaches the caller. */
  async function authenticate(context: Context<RelayEnv>, route: string): Promise<Session | undefined> {
    const token = bearerToken(context.req.raw.headers);
    const opened = await sessions.open(token);
    if (opened.kind === "open") return opened.session;
    observe({
      kind: "authentication_failed",
      requestId: context.env.requestId,
      route,
      reason: opened.reason,
      address: addressOf(context, limiter).key,
      fingerprint: token === undefined ? null : await fingerprint(token),
      blocked: false,
    });
    return undefined;
  }
}

/** Answers that carry a code, a JWT or an identity do not belong into any cache. */
function noStore(context: Context): Context {
  context.header("cache-control", "no-store");
  return context;
}
