/**
 * From a bearer token to a caller. Two kinds of credential are known, and a token is never taken for the other kind: one with
 * our signature is a session's, whatever its state, and everything else can only be the relay token.
 *
 * @module
 */
import type { RelayToken } from "../credential/relay_token.ts";
import type { Sessions, TokenVerdict } from "../credential/session.ts";
import { isProxied } from "../guard/proxied_request.ts";
import { isForeignWebPage } from "../guard/web_page_request.ts";
import { type Caller, sessionCaller } from "./caller.ts";
import type { Owner } from "./owner.ts";

/** Who the relay answers. */
export interface CallerDependencies {
  readonly sessions: Sessions;
  /** Whether app users may call with their session JWTs. */
  readonly appUsers: boolean;
  /** Absent when nobody may call as the owner. */
  readonly personal?: PersonalAccess | undefined;
}

/** How the owner calls. */
export interface PersonalAccess {
  readonly owner: Owner;
  /** Absent when there is none; then nobody is the owner by a token. */
  readonly relayToken?: RelayToken | undefined;
  /** False: whoever reaches the relay is its owner, except web pages that are not of `origins`, and who comes by a proxy. */
  readonly requireBearerAuth: boolean;
  /** Without a credential: whether requests that a proxy has passed on are answered too. */
  readonly allowProxied: boolean;
  readonly origins: readonly string[];
}

/** Who calls. `reason` is for the log only. */
export type Recognized =
  | { readonly kind: "caller"; readonly caller: Caller }
  /** `guessed`: the credential, or its absence, counts as an attempt to guess one. */
  | { readonly kind: "unknown"; readonly reason: string; readonly guessed: boolean }
  /** The relay asks for no credential, but the request may be a web page's, or a stranger's behind a proxy. */
  | { readonly kind: "web_page" | "proxied" };

/** Whether a token was signed by us: it need not be guessed, and its holder is a session, not an address. */
export function isGenuine(
  verdict: TokenVerdict,
): verdict is Extract<TokenVerdict, { readonly kind: "valid" | "expired" }> {
  return verdict.kind === "valid" || verdict.kind === "expired";
}

/** Finds the caller behind a request, whose `token` has been judged by `sessions.verify()`. */
export async function recognizeCaller(
  request: Request,
  token: string | undefined,
  verdict: TokenVerdict,
  { sessions, appUsers, personal }: CallerDependencies,
): Promise<Recognized> {
  if (isGenuine(verdict)) {
    if (!appUsers) return { kind: "unknown", reason: "app_users_off", guessed: false };
    const opened = await sessions.openVerified(verdict);
    return opened.kind === "open"
      ? { kind: "caller", caller: sessionCaller(opened.session) }
      : { kind: "unknown", reason: opened.reason, guessed: false };
  }
  if (personal !== undefined) {
    const { owner, relayToken, requireBearerAuth, allowProxied, origins } = personal;
    if (token !== undefined && await relayToken?.accepts(token) === true) {
      return { kind: "caller", caller: await owner.caller() };
    }
    if (!requireBearerAuth) {
      if (isForeignWebPage(request, origins)) return { kind: "web_page" };
      if (!allowProxied && isProxied(request.headers)) return { kind: "proxied" };
      return { kind: "caller", caller: await owner.caller() };
    }
  }
  return { kind: "unknown", reason: verdict.kind === "missing" ? "missing" : verdict.reason, guessed: true };
}
