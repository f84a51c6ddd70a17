/**
 * The life of xAI's tokens: access tokens that expire, refresh tokens that rotate, and the family that dies when a
 * rotated refresh token comes back late.
 *
 * Source: facts page xai-grok, sections 3, 4 and 11; OAuth 2.0 Security BCP (RFC 9700) section 4.14.2.
 *
 * @module
 */
import type { SandboxContext, SandboxUser } from "./contract.ts";

/** What the token endpoint hands out. */
export interface IssuedTokens {
  readonly accessToken: string;
  /** Only with the scope `offline_access`. */
  readonly refreshToken: string | undefined;
  /** Only with the scope `openid`. */
  readonly idToken: string | undefined;
  /** Life of the access token. */
  readonly expiresInSeconds: number;
  readonly scope: string;
}

/** How a refresh ends. */
export type RefreshResult =
  | { readonly kind: "issued"; readonly tokens: IssuedTokens }
  | { readonly kind: "refused"; readonly reason: "unknown" | "revoked" | "expired" };

/** Every token of the simulated issuer. */
export interface GrokTokens {
  /** Starts a family: the person has just signed in. */
  issue(user: SandboxUser, clientId: string, scope: string): IssuedTokens;
  /**
   * Rotates. A token that was rotated less than 60 s ago gets the family's current refresh token again; later it is
   * taken for stolen and ends the whole family.
   */
  refresh(refreshToken: string, clientId: string): RefreshResult;
  /** Ends the family that `token` (of either kind) belongs to. Unknown tokens are ignored (RFC 7009 section 2.2). */
  revoke(token: string): void;
  /** Ends every family of a person, as if they had signed the app out at xAI. */
  revokeUser(user: SandboxUser): void;
  /** The person behind a live access token. */
  userOf(accessToken: string): SandboxUser | undefined;
  /** How many families ended because a rotated token came back after the grace. */
  readonly familiesRevokedForReuse: number;
}

/** How long a rotated refresh token is still honoured, for clients whose answer got lost. */
const ROTATION_GRACE_MS = 60_000;
const REFRESH_TOKEN_LIFE_MS = 30 * 24 * 3600 * 1000;

interface Family {
  readonly user: SandboxUser;
  readonly clientId: string;
  readonly scope: string;
  revoked: boolean;
  currentRefreshToken: string | undefined;
}

interface RefreshToken {
  readonly family: Family;
  readonly expiresAtMs: number;
  rotatedAtMs: number | undefined;
}

interface AccessToken {
  readonly family: Family;
  readonly expiresAtMs: number;
}

/** An issuer without tokens. `issuer` is the `iss` of what it will sign. */
export function createGrokTokens(ctx: SandboxContext, issuer: () => string): GrokTokens {
  const accessTokens = new Map<string, AccessToken>();
  const refreshTokens = new Map<string, RefreshToken>();
  let familiesRevokedForReuse = 0;

  const forgetExpired = (): void => {
    const now = ctx.now();
    for (const [token, { expiresAtMs }] of accessTokens) if (expiresAtMs <= now) accessTokens.delete(token);
    // Dead refresh tokens are remembered for one more life: their late use has its own answer.
    for (const [token, { expiresAtMs }] of refreshTokens) {
      if (expiresAtMs + REFRESH_TOKEN_LIFE_MS <= now) refreshTokens.delete(token);
    }
  };

  const issueAccess = (family: Family): IssuedTokens => {
    forgetExpired();
    const { user, clientId, scope } = family;
    const issuedAt = Math.floor(ctx.now() / 1000);
    const common = { iss: issuer(), sub: user.xaiSubject, aud: clientId, iat: issuedAt };
    const expires = issuedAt + ctx.accessTokenSeconds;
    const accessToken = printToken(ctx, {
      ...common,
      exp: expires,
      jti: ctx.token("", "grok jti"),
      scope,
      client_id: clientId,
      principal_type: "User",
      principal_id: user.xaiSubject,
      tier: user.xaiTier,
    });
    accessTokens.set(accessToken, { family, expiresAtMs: ctx.now() + ctx.accessTokenSeconds * 1000 });
    const idToken = scope.split(" ").includes("openid")
      ? printToken(ctx, {
        ...common,
        exp: expires,
        email: user.email,
        email_verified: true,
        name: user.displayName,
      })
      : undefined;
    return {
      accessToken,
      refreshToken: family.currentRefreshToken,
      idToken,
      expiresInSeconds: ctx.accessTokenSeconds,
      scope,
    };
  };

  const rotate = (family: Family): void => {
    const token = ctx.token("xai-rt-", "grok refresh token");
    family.currentRefreshToken = token;
    const expiresAtMs = ctx.now() + REFRESH_TOKEN_LIFE_MS;
    refreshTokens.set(token, { family, expiresAtMs, rotatedAtMs: undefined });
  };

  return {
    get familiesRevokedForReuse() {
      return familiesRevokedForReuse;
    },

    issue(user, clientId, scope) {
      const family: Family = { user, clientId, scope, revoked: false, currentRefreshToken: undefined };
      if (scope.split(" ").includes("offline_access")) rotate(family);
      return issueAccess(family);
    },

    refresh(refreshToken, clientId) {
      const known = refreshTokens.get(refreshToken);
      if (known === undefined || known.family.clientId !== clientId) {
        return { kind: "refused", reason: "unknown" };
      }
      const { family } = known;
      const now = ctx.now();
      if (family.revoked) return { kind: "refused", reason: "revoked" };
      if (known.expiresAtMs <= now) return { kind: "refused", reason: "expired" };
      if (known.rotatedAtMs === undefined) {
        known.rotatedAtMs = now;
        rotate(family);
      } else if (now - known.rotatedAtMs >= ROTATION_GRACE_MS) {
        family.revoked = true;
        familiesRevokedForReuse += 1;
        return { kind: "refused", reason: "revoked" };
      }
      return { kind: "issued", tokens: issueAccess(family) };
    },

    revoke(token) {
      const known = refreshTokens.get(token) ?? accessTokens.get(token);
      if (known !== undefined) known.family.revoked = true;
    },

    revokeUser(user) {
      for (const { family } of [...refreshTokens.values(), ...accessTokens.values()]) {
        if (family.user.name === user.name) family.revoked = true;
      }
    },

    userOf(accessToken) {
      const known = accessTokens.get(accessToken);
      if (known === undefined || known.family.revoked || known.expiresAtMs <= ctx.now()) return undefined;
      return known.family.user;
    },
  };
}

/**
 * A token in the shape of a JWT (RFC 7519). Its signature is made up: ES256 signatures are random, and the sandbox
 * gives the same tokens in every run. xAI's clients do not check it either.
 */
function printToken(ctx: SandboxContext, claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
  const signature = ctx.token("", "grok signature") + ctx.token("", "grok signature");
  return `${part({ alg: "ES256", typ: "JWT", kid: "sandbox" })}.${part(claims)}.${signature}`;
}
