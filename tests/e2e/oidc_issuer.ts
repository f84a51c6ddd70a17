/**
 * `npm:oidc-provider`, a certified authorization server that knows nothing of us, in the place of `https://auth.x.ai`:
 * xAI's endpoint paths, client, scopes and ES256 access tokens (xai-grok.md sections 1 to 4), its own pages and rules.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRemoteJWKSet, exportJWK, generateKeyPair, type JWTPayload, jwtVerify } from "jose";
import { Provider } from "oidc-provider";
import { grokDefaults } from "../../src/provider/grok_settings.ts";
import { isObject } from "../../src/wire/json.ts";
import { createOidcStorage, type OidcStorage } from "./oidc_storage.ts";

/** One request that the relay or a browser made, after it was answered. */
export interface AnsweredRequest {
  readonly path: string;
  readonly grantType: string | undefined;
  readonly status: number;
  /** The OAuth error code of the answer. */
  readonly error: string | undefined;
}

/** The tokens of an answer of the token endpoint. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: string;
  readonly expiresInSeconds: number;
}

/** The part of the server's request context that is read here. */
interface IssuerContext {
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
  readonly oidc?: { readonly params?: { readonly grant_type?: string } };
}

/** What xAI is seen to give, seconds. */
const usualAccessTokenSeconds = 6 * 60 * 60;

/** What the access tokens are for. */
const apiScopes = ["grok-cli:access", "api:access"];

/** A running server. */
export interface OidcIssuer
  extends AsyncDisposable, Pick<OidcStorage, "slowDownNextPoll" | "expireDeviceCodes"> {
  /** The issuer URL. */
  readonly origin: string;
  /** Life of the access tokens that are issued from now on, seconds; six hours at first. */
  accessTokenSeconds: number;
  /** Every request so far, in the order of the answers. */
  readonly requests: readonly AnsweredRequest[];
  /** Every token answer so far, oldest first. */
  readonly issued: readonly IssuedTokens[];
  /** The requests so far that asked the token endpoint with a device code. */
  polls(): readonly AnsweredRequest[];
  /** Judges an access token as xAI's API would: signature, issuer, audience, time. Rejects when it does not hold. */
  verify(accessToken: string): Promise<JWTPayload>;
  /** Redeems a refresh token, as whoever got hold of it could. */
  redeem(refreshToken: string): Promise<Response>;
}

/** Starts the server on loopback; stop it with `await using`. */
export async function startOidcIssuer(): Promise<OidcIssuer> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  assert.ok(typeof address === "object" && address !== null);
  const origin = `http://127.0.0.1:${address.port}`;

  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const requests: AnsweredRequest[] = [];
  const issued: IssuedTokens[] = [];
  const storage = createOidcStorage();

  const server = new Provider(origin, {
    adapter: storage.adapter,
    clients: [{
      client_id: grokDefaults.clientId,
      client_name: "Grok",
      token_endpoint_auth_method: "none",
      grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: "ES256",
    }],
    cookies: { keys: ["a key for the cookies of a test"] },
    jwks: { keys: [{ ...await exportJWK(privateKey), alg: "ES256", use: "sig", kid: "issuer-key" }] },
    scopes: ["openid", "offline_access", "profile", "email", ...apiScopes],
    claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
    findAccount: (_context: unknown, accountId: string) => ({
      accountId,
      claims: () => ({ sub: accountId }),
    }),
    rotateRefreshToken: true,
    routes: {
      authorization: "/oauth2/authorize",
      code_verification: "/oauth2/device",
      device_authorization: "/oauth2/device/code",
      jwks: "/.well-known/jwks.json",
      revocation: "/oauth2/revoke",
      token: "/oauth2/token",
      userinfo: "/oauth2/userinfo",
    },
    features: {
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `${origin}/api`,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          audience: grokDefaults.clientId,
          scope: apiScopes.join(" "),
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
    ttl: {
      AccessToken: () => issuer.accessTokenSeconds,
      DeviceCode: 1800,
      Grant: 86_400,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
  });
  server.use(async (context: IssuerContext, next: () => Promise<void>) => {
    await next();
    const error = isObject(context.body) ? context.body["error"] : undefined;
    requests.push({
      path: context.path,
      grantType: context.oidc?.params?.grant_type,
      status: context.status,
      error: typeof error === "string" ? error : undefined,
    });
  });
  server.on("grant.success", ({ body }: { readonly body: Readonly<Record<string, string>> }) => {
    const { access_token, refresh_token, id_token, expires_in } = body;
    assert.ok(access_token !== undefined && refresh_token !== undefined && id_token !== undefined);
    issued.push({
      accessToken: access_token,
      refreshToken: refresh_token,
      idToken: id_token,
      expiresInSeconds: Number(expires_in),
    });
  });
  listener.on("request", server.callback());
  const keys = createRemoteJWKSet(new URL(`${origin}/.well-known/jwks.json`));

  const issuer: OidcIssuer = {
    accessTokenSeconds: usualAccessTokenSeconds,
    slowDownNextPoll: storage.slowDownNextPoll,
    expireDeviceCodes: storage.expireDeviceCodes,
    origin,
    requests,
    issued,
    polls: () => requests.filter(({ grantType }) => grantType?.endsWith(":device_code")),
    async verify(accessToken) {
      const { payload } = await jwtVerify(accessToken, keys, {
        issuer: origin,
        audience: grokDefaults.clientId,
        algorithms: ["ES256"],
      });
      return payload;
    },
    redeem: (refreshToken) =>
      fetch(`${origin}/oauth2/token`, {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "refresh_token",
          refresh_token: refreshToken,
          client_id: grokDefaults.clientId,
        }),
      }),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      listener.closeAllConnections();
      await closed;
    },
  };
  return issuer;
}
