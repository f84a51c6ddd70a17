/**
 * What the relay tells its operator. Entries are an allow-list of safe fields: no token, no prompt, no answer, no URL
 * with a query and no session id can be put into one. The one exception is `body`, which is told only when the operator
 * asked for bodies.
 *
 * Every request of a client has a `request` and a `response`, with what happened in between under the same `requestId`; only
 * probes of health have none. A model call has an `answer_ended` too, which for a stream comes after the `response`.
 *
 * @module
 */

/** What the relay asked an upstream for. */
export type UpstreamPurpose = "call" | "models" | "quota";

/** Something that an operator may want to know. Every member is safe to print. */
export type TrafficEvent =
  /** The relay listens. `app`: app users may sign in; `personal`: the owner's token is accepted, or none is asked for. */
  | {
    readonly kind: "started";
    readonly version: string;
    readonly origin: string;
    readonly app: boolean;
    readonly personal: boolean;
  }
  /** The relay stops; `finished` when no answer had to be cut. */
  | { readonly kind: "stopped"; readonly finished: boolean }
  /** Where the relay token comes from, and by which digits its lines in the log can be told. */
  | { readonly kind: "relay_token"; readonly source: string; readonly fingerprint: string | null }
  /** A request has arrived. `route` is the route's pattern, never the path; `address` is the client's. */
  | {
    readonly kind: "request";
    readonly requestId: string;
    readonly method: string;
    readonly route: string;
    readonly address: string;
  }
  /** Its response begins. `durationMs` is the time since it arrived. */
  | {
    readonly kind: "response";
    readonly requestId: string;
    readonly route: string;
    readonly status: number;
    readonly durationMs: number;
  }
  /**
   * A credential was refused; the caller only saw the uniform 401. `fingerprint` tells one wrong token from another one, and
   * is null when there was none. `blocked` when this failure was one too many for its address.
   */
  | {
    readonly kind: "authentication_failed";
    readonly requestId: string;
    readonly route: string;
    readonly reason: string;
    readonly address: string;
    readonly fingerprint: string | null;
    readonly blocked: boolean;
  }
  /** A limit refused a request; `code` is what the client was told. */
  | {
    readonly kind: "rejected";
    readonly requestId: string;
    readonly route: string;
    readonly address: string;
    readonly code: string;
    readonly retryAfterSeconds: number;
  }
  /**
   * A call goes on in another form than it came: `from` the client's dialect `to` the upstream's, without the parameters that
   * `ignored` names.
   */
  | {
    readonly kind: "adaptation";
    readonly requestId: string;
    readonly provider: string;
    readonly model: string;
    readonly from: string;
    readonly to: string;
    readonly ignored: readonly string[];
  }
  /** A model call is sent; `attempt` counts from 1. */
  | {
    readonly kind: "upstream_request";
    readonly requestId: string;
    readonly provider: string;
    readonly model: string;
    readonly dialect: string;
    readonly attempt: number;
  }
  /** An upstream answers with what it was asked for. `durationMs` is the time since it was asked. */
  | {
    readonly kind: "upstream_response";
    readonly requestId: string;
    readonly provider: string;
    readonly purpose: UpstreamPurpose;
    readonly durationMs: number;
  }
  /** An upstream refuses, or cannot be reached. `status` and `code` are what the client is told. */
  | {
    readonly kind: "upstream_error";
    readonly requestId: string;
    readonly provider: string;
    readonly purpose: UpstreamPurpose;
    readonly status: number;
    readonly code: string | null;
    readonly durationMs: number;
  }
  /** A call is sent again after a passing trouble, in `pauseMs`. */
  | {
    readonly kind: "retry";
    readonly requestId: string;
    readonly provider: string;
    readonly attempt: number;
    readonly pauseMs: number;
  }
  /**
   * The answer of a model call is over. `end` is `completed` when the upstream finished it, also when it did so early;
   * otherwise `reason` is the code of what went wrong, where there is one. Tokens as far as the upstream told them.
   */
  | {
    readonly kind: "answer_ended";
    readonly requestId: string;
    readonly provider: string;
    readonly model: string;
    readonly streamed: boolean;
    readonly end: "completed" | "failed" | "cut" | "cancelled";
    readonly reason: string | null;
    readonly durationMs: number;
    readonly inputTokens: number | null;
    readonly cachedTokens: number | null;
    readonly outputTokens: number | null;
    readonly reasoningTokens: number | null;
  }
  /** What a client sent or got, without credentials (redact_body.ts). Raised only when bodies are asked for. */
  | {
    readonly kind: "body";
    readonly requestId: string;
    readonly of: "request" | "response";
    /** All bytes, also those that `text` leaves out. */
    readonly bytes: number;
    readonly text: string;
  }
  /** A sign-in could not be started or ended without a session. */
  | {
    readonly kind: "sign_in_failed";
    readonly requestId?: string;
    readonly provider: string;
    readonly reason: string;
  }
  /** A sign-in step met a hiccup at the provider and will be tried again. */
  | {
    readonly kind: "sign_in_delayed";
    readonly requestId?: string;
    readonly provider: string;
    readonly reason: string;
  }
  /** The access token of a session could not be renewed; `ended` when the grant is gone for good. */
  | {
    readonly kind: "refresh_failed";
    readonly requestId?: string;
    readonly provider: string;
    readonly ended: boolean;
    readonly reason: string;
  }
  /**
   * The shared state cannot be reached, so that this instance applies the limits alone and remembers no block beyond its own
   * life. Told again while it lasts, but not of every attempt.
   */
  | { readonly kind: "limits_unshared"; readonly message: string }
  /** A bug or a broken engine. `message` is the error's own; our errors carry no secrets. */
  | {
    readonly kind: "fault";
    /** Absent where the fault belongs to no request. */
    readonly requestId?: string;
    readonly route: string;
    readonly message: string;
  }
  /** The log itself could not be written for a while, and `lost` lines are missing. */
  | { readonly kind: "log_resumed"; readonly lost: number };

/** The name of an event. */
export type TrafficEventKind = TrafficEvent["kind"];

/** Takes an event. Must not throw and must not block. */
export type Observe = (event: TrafficEvent) => void;
