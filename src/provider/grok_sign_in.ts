/**
 * Signing in to Grok: discovery, then RFC 8628 (xai-grok.md sections 1, 2 and 4).
 *
 * @module
 */
import { nonEmptyString } from "../wire/json.ts";
import { requestDeviceAuthorization, requestDeviceToken } from "./device_flow.ts";
import type { GrokSettings } from "./grok_settings.ts";
import type { Discovery } from "./oidc_discovery.ts";
import type { AdvanceOutcome, Grant, SignIn } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import type { TokenSet } from "./token_answer.ts";
import { accessTokenEndMs, unverifiedClaims } from "./token_claims.ts";

/** The sign-in of Grok. */
export function createGrokSignIn(
  settings: GrokSettings,
  discover: Discovery,
  runtime: ProviderRuntime,
): SignIn {
  return {
    async start(signal) {
      const discovery = await discover(signal);
      if (discovery.kind === "failed") return discovery;
      const endpoint = discovery.server.deviceAuthorizationEndpoint;
      const outcome = await requestDeviceAuthorization(endpoint, settings, runtime, signal);
      if (outcome.kind === "failed") return outcome;
      const { deviceCode, ...shown } = outcome.authorization;
      return { kind: "started", signIn: { flow: { deviceCode }, ...shown } };
    },

    async advance(flow, signal) {
      const deviceCode = nonEmptyString(flow["deviceCode"]);
      if (deviceCode === undefined) throw new TypeError("The flow is not one that the Grok sign-in made.");
      const discovery = await discover(signal);
      if (discovery.kind === "failed") return { kind: "unavailable", reason: discovery.reason };
      const client = { clientId: settings.clientId, deviceCode };
      const outcome = await requestDeviceToken(discovery.server.tokenEndpoint, client, runtime, signal);
      if (outcome.kind === "token") return grantedOf(outcome.accessToken, outcome.tokens, runtime.now());
      if (outcome.kind !== "failed") return outcome;
      return { kind: "failed", message: "Grok ended the sign-in. Start it again.", reason: outcome.reason };
    },
  };
}

function grantedOf(accessToken: string, tokens: TokenSet, nowMs: number): AdvanceOutcome {
  const accountId = grokAccountId(tokens);
  if (accountId === undefined) {
    return {
      kind: "failed",
      message: "Grok did not say which account signed in. Start the sign-in again.",
      reason: "token_answer_without_account",
    };
  }
  const grant: Grant = {
    accessToken,
    accessExpiresAtMs: accessTokenEndMs(accessToken, tokens.expiresInSeconds, nowMs),
    ...(tokens.refreshToken === undefined ? {} : { refreshToken: tokens.refreshToken }),
    accountId,
    attributes: {},
  };
  return { kind: "granted", grant };
}

/** `sub` of the access token, or of the id token where the access token is opaque; both name the same person. */
export function grokAccountId(tokens: TokenSet): string | undefined {
  return nonEmptyString(unverifiedClaims(tokens.accessToken)["sub"]) ??
    nonEmptyString(unverifiedClaims(tokens.idToken)["sub"]);
}
