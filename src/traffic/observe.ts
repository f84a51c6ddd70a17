/**
 * What the relay tells its operator. Entries are an allow-list of safe fields: no token, no prompt, no answer, no URL
 * with a query and no session id can be put into one.
 *
 * @module
 */

/** Something that an operator may want to know. Every member is safe to print. */
export type TrafficEvent =
  /** A credential was refused; the caller only saw the uniform 401. */
  | { readonly kind: "authentication_failed"; readonly route: string; readonly reason: string }
  /** A sign-in could not be started or ended without a session. */
  | { readonly kind: "sign_in_failed"; readonly provider: string; readonly reason: string }
  /** A sign-in step met a hiccup at the provider and will be tried again. */
  | { readonly kind: "sign_in_delayed"; readonly provider: string; readonly reason: string }
  /** The access token of a session could not be renewed; `ended` when the grant is gone for good. */
  | {
    readonly kind: "refresh_failed";
    readonly provider: string;
    readonly ended: boolean;
    readonly reason: string;
  }
  /** A model call was refused by the upstream or could not reach it. */
  | {
    readonly kind: "upstream_error";
    readonly provider: string;
    readonly status: number;
    readonly code: string | null;
  }
  /** An answer's stream ended in another way than completed. */
  | { readonly kind: "stream_ended"; readonly provider: string; readonly end: string }
  /** A bug or a broken engine. `message` is the error's own; our errors carry no secrets. */
  | { readonly kind: "fault"; readonly route: string; readonly message: string };

/** Takes an event. Must not throw and must not block. */
export type Observe = (event: TrafficEvent) => void;
