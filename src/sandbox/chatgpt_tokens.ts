/**
 * The life of ChatGPT's credentials: authorization codes with a PKCE pair that the server made, access tokens that
 * expire, refresh tokens that are good for one use.
 *
 * Source: the facts page on ChatGPT, sections 1.3 to 1.6 and 2; RFC 7636.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { SandboxContext, SandboxUser } from "./contract.ts";

/** What a successful poll hands out. */
export interface IssuedCode {
  readonly code: string;
  readonly challenge: string;
  readonly verifier: string;
}

/** What the token endpoint hands out. */
export interface IssuedTokens {
  readonly idToken: string;
  readonly accessToken: string;
  /** The token that was redeemed when this refresh did not rotate. */
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
}

/** How a redemption ends. */
export type Redemption =
  | { readonly kind: "issued"; readonly tokens: IssuedTokens }
  | { readonly kind: "refused"; readonly reason: "unknown" | "reused" | "invalidated" | "expired" };

/** Whom an access token belongs to. */
export type AccessVerdict =
  | { readonly kind: "user"; readonly user: SandboxUser }
  | { readonly kind: "refused"; readonly reason: "unknown" | "invalidated" | "expired" };

/** Every credential of the simulated issuer. */
export interface ChatGptTokens {
  /** Makes a code for a person who has approved. */
  issueCode(user: SandboxUser): IssuedCode;
  /** Redeems a code. It is used up by the first try, also by one with a wrong verifier. */
  redeemCode(code: string, verifier: string): Redemption;
  /** Redeems a refresh token. `rotates` false gives no new one and leaves the old one good. */
  refresh(refreshToken: string, rotates: boolean): Redemption;
  verdict(accessToken: string): AccessVerdict;
  /** Ends the grant behind a token of either kind; false when the token is unknown. */
  revoke(token: string): boolean;
  /** Ends every grant of a person; returns how many. */
  revokeUser(user: SandboxUser): number;
  /** What happened so far. */
  readonly counters: Readonly<Record<"codesRedeemed" | "refreshes" | "refreshesReused" | "revoked", number>>;
}

const CODE_LIFE_MS = 10 * 60_000;
const REFRESH_LIFE_MS = 90 * 24 * 3600_000;

/** One sign-in: all tokens that descend from it end together. */
interface Grant {
  readonly user: SandboxUser;
  readonly sessionId: string;
  revoked: boolean;
}

interface RefreshToken {
  readonly grant: Grant;
  readonly expiresAtMs: number;
  used: boolean;
}

/** An issuer without credentials. */
export function createChatGptTokens(context: SandboxContext, issuer: () => string): ChatGptTokens {
  const codes = new Map<string, { user: SandboxUser; challenge: string; expiresAtMs: number }>();
  const accessTokens = new Map<string, { grant: Grant; expiresAtMs: number }>();
  const refreshTokens = new Map<string, RefreshToken>();
  const counters = { codesRedeemed: 0, refreshes: 0, refreshesReused: 0, revoked: 0 };

  /** Expired entries stay for one more life: a late use has its own answer. Then they are forgotten. */
  const forget = () => {
    const now = context.now();
    const lives = [
      [codes, CODE_LIFE_MS],
      [accessTokens, context.accessTokenSeconds * 1000],
      [refreshTokens, REFRESH_LIFE_MS],
    ] as const;
    for (const [entries, lifeMs] of lives) {
      for (const [key, { expiresAtMs }] of entries) if (expiresAtMs + lifeMs <= now) entries.delete(key);
    }
  };

  const issueAccess = (grant: Grant, refreshToken: string): IssuedTokens => {
    forget();
    const claims = claimsOf(grant, context, issuer());
    const accessToken = printToken(context, claims.access);
    accessTokens.set(accessToken, {
      grant,
      expiresAtMs: context.now() + context.accessTokenSeconds * 1000,
    });
    return {
      idToken: printToken(context, claims.id),
      accessToken,
      refreshToken,
      expiresInSeconds: context.accessTokenSeconds,
    };
  };

  const issueRefresh = (grant: Grant): string => {
    const token = context.token("rt_", "chatgpt refresh token");
    refreshTokens.set(token, { grant, expiresAtMs: context.now() + REFRESH_LIFE_MS, used: false });
    return token;
  };

  const end = (grant: Grant): boolean => {
    if (grant.revoked) return false;
    grant.revoked = true;
    counters.revoked += 1;
    return true;
  };

  return {
    counters,

    issueCode(user) {
      forget();
      const code = context.token("ac_", "chatgpt authorization code");
      const verifier = context.token("", "chatgpt verifier") + context.token("", "chatgpt verifier");
      const challenge = challengeOf(verifier);
      codes.set(code, { user, challenge, expiresAtMs: context.now() + CODE_LIFE_MS });
      return { code, challenge, verifier };
    },

    redeemCode(code, verifier) {
      const known = codes.get(code);
      codes.delete(code);
      if (known === undefined || known.challenge !== challengeOf(verifier)) {
        return { kind: "refused", reason: "unknown" };
      }
      if (known.expiresAtMs <= context.now()) return { kind: "refused", reason: "expired" };
      counters.codesRedeemed += 1;
      const grant = { user: known.user, sessionId: context.token("", "chatgpt session"), revoked: false };
      return { kind: "issued", tokens: issueAccess(grant, issueRefresh(grant)) };
    },

    refresh(refreshToken, rotates) {
      const known = refreshTokens.get(refreshToken);
      if (known === undefined) return { kind: "refused", reason: "unknown" };
      if (known.used) {
        counters.refreshesReused += 1;
        return { kind: "refused", reason: "reused" };
      }
      if (known.grant.revoked) return { kind: "refused", reason: "invalidated" };
      if (known.expiresAtMs <= context.now()) return { kind: "refused", reason: "expired" };
      counters.refreshes += 1;
      known.used = rotates;
      return {
        kind: "issued",
        tokens: issueAccess(known.grant, rotates ? issueRefresh(known.grant) : refreshToken),
      };
    },

    verdict(accessToken) {
      const known = accessTokens.get(accessToken);
      if (known === undefined) return { kind: "refused", reason: "unknown" };
      if (known.grant.revoked) return { kind: "refused", reason: "invalidated" };
      if (known.expiresAtMs <= context.now()) return { kind: "refused", reason: "expired" };
      return { kind: "user", user: known.grant.user };
    },

    revoke(token) {
      const known = refreshTokens.get(token) ?? accessTokens.get(token);
      if (known !== undefined) end(known.grant);
      return known !== undefined;
    },

    revokeUser(user) {
      const grants = new Set([...refreshTokens.values()].map((token) => token.grant));
      return [...grants].filter((grant) => grant.user.name === user.name && end(grant)).length;
    },
  };
}

/** RFC 7636 section 4.2, method S256. */
function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}

function claimsOf(
  { user, sessionId }: Grant,
  context: SandboxContext,
  issuer: string,
): { readonly id: unknown; readonly access: unknown } {
  const issuedAt = Math.floor(context.now() / 1000);
  const common = {
    iss: issuer,
    sub: `auth0|${user.name}`,
    iat: issuedAt,
    exp: issuedAt + context.accessTokenSeconds,
    jti: context.token("", "chatgpt jti"),
    sid: sessionId,
    "https://api.openai.com/auth": {
      chatgpt_account_id: user.chatgptAccountId,
      chatgpt_plan_type: user.chatgptPlan,
      chatgpt_user_id: user.chatgptUserId,
      user_id: user.chatgptUserId,
    },
  };
  return {
    id: { ...common, aud: [CLIENT_ID], email: user.email, email_verified: true, auth_provider: "password" },
    access: {
      ...common,
      aud: ["https://api.openai.com/v1"],
      client_id: CLIENT_ID,
      scp: ["openid", "profile", "email", "offline_access"],
      "https://api.openai.com/profile": { email: user.email, email_verified: true },
    },
  };
}

/** The public client id that every known client uses; it has no secret. */
export const CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";

/** A token in the shape of a JWT (RFC 7519). Its signature is made up; no known client checks it. */
function printToken(context: SandboxContext, claims: unknown): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
  const header = part({ alg: "RS256", typ: "JWT", kid: "sandbox" });
  return `${header}.${part(claims)}.${context.token("", "chatgpt signature")}`;
}
