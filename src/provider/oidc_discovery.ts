/**
 * Finding an issuer's endpoints (OpenID Connect Discovery 1.0, RFC 8414), and pinning them: refresh tokens go to the
 * token endpoint, so a discovery document must not be able to send them to another party.
 *
 * @module
 */
import { nonEmptyString, parseObject } from "../wire/json.ts";
import { callAuthServer } from "./auth_call.ts";
import type { ProviderRuntime } from "./runtime.ts";

/** How long a discovery document is used, milliseconds (xai-grok.md section 1). */
const lifeMs = 60 * 60 * 1000;

/** Time limit of the discovery request, milliseconds (xai-grok.md section 1). */
const timeoutMs = 10_000;

/** The endpoints that the device sign-in and the life of its tokens need. */
export interface AuthorizationServer {
  /** RFC 8628 section 4. */
  readonly deviceAuthorizationEndpoint: string;
  /** RFC 6749 section 3.2. */
  readonly tokenEndpoint: string;
  /** RFC 7009; absent where the server offers none. */
  readonly revocationEndpoint?: string;
}

/** How discovery ended. */
export type DiscoveryOutcome =
  | { readonly kind: "found"; readonly server: AuthorizationServer }
  /** `reason` is a safe code for the log. */
  | { readonly kind: "failed"; readonly reason: string };

/** A discovery that remembers a good answer for an hour. */
export type Discovery = (signal: AbortSignal) => Promise<DiscoveryOutcome>;

/** Creates the discovery of one issuer. Failures are not remembered. */
export function createDiscovery(issuerUrl: string, runtime: ProviderRuntime): Discovery {
  let known: { readonly server: AuthorizationServer; readonly endMs: number } | undefined;
  return async (signal) => {
    if (known !== undefined && known.endMs > runtime.now()) return { kind: "found", server: known.server };
    const reply = await callAuthServer(
      {
        method: "GET",
        url: `${issuerUrl}/.well-known/openid-configuration`,
        headers: { accept: "application/json" },
        timeoutMs,
      },
      runtime,
      signal,
    );
    if (reply.kind === "unreachable") return { kind: "failed", reason: `discovery_${reply.reason}` };
    const outcome = await judgeDiscovery(reply.response, issuerUrl);
    if (outcome.kind === "found") known = { server: outcome.server, endMs: runtime.now() + lifeMs };
    return outcome;
  };
}

/** Judges a discovery document: it must be the issuer's own, and its endpoints must be at the issuer. */
export async function judgeDiscovery(response: Response, issuerUrl: string): Promise<DiscoveryOutcome> {
  if (response.status !== 200) return { kind: "failed", reason: `discovery_http_${response.status}` };
  const document = parseObject(await response.text());
  if (document === undefined) return { kind: "failed", reason: "discovery_not_json" };
  // OpenID Connect Discovery section 4.3; the slash at the end is the one difference that issuers are careless about.
  const issuer = nonEmptyString(document["issuer"])?.replace(/\/$/, "");
  if (issuer !== issuerUrl) return { kind: "failed", reason: "discovery_of_another_issuer" };
  const device = nonEmptyString(document["device_authorization_endpoint"]);
  const token = nonEmptyString(document["token_endpoint"]);
  if (device === undefined || token === undefined) {
    return { kind: "failed", reason: "discovery_without_device_flow" };
  }
  const revocation = nonEmptyString(document["revocation_endpoint"]);
  const all = revocation === undefined ? [device, token] : [device, token, revocation];
  if (!all.every((endpoint) => isAtIssuer(endpoint, issuerUrl))) {
    return { kind: "failed", reason: "discovery_endpoint_elsewhere" };
  }
  return {
    kind: "found",
    server: {
      deviceAuthorizationEndpoint: device,
      tokenEndpoint: token,
      ...(revocation === undefined ? {} : { revocationEndpoint: revocation }),
    },
  };
}

/**
 * Whether `endpoint` may be given the issuer's tokens: the same origin, or https below the issuer's domain. That domain
 * is `x.ai` for xAI, whose services live side by side under it, and the issuer's own host for everybody else: which
 * neighbours of a host belong to the same party cannot be told from its name.
 */
export function isAtIssuer(endpoint: string, issuerUrl: string): boolean {
  if (!URL.canParse(endpoint) || !URL.canParse(issuerUrl)) return false;
  const at = new URL(endpoint);
  const issuer = new URL(issuerUrl);
  if (at.username !== "" || at.password !== "") return false;
  if (at.origin === issuer.origin) return at.protocol === "https:" || isLoopback(at.hostname);
  if (at.protocol !== "https:" || issuer.protocol !== "https:" || at.port !== issuer.port) return false;
  const domain = /(^|\.)x\.ai$/.test(issuer.hostname) ? "x.ai" : issuer.hostname;
  return at.hostname === domain || at.hostname.endsWith(`.${domain}`);
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}
