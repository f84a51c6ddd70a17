/**
 * What the routes find in their context beside the request.
 *
 * @module
 */
import type { ClientAddress } from "../guard/client_address.ts";
import type { Caller } from "./caller.ts";

/** Known of every request. */
export interface RelayBindings {
  /** `req_` and a ULID, made here; the answer carries it as `x-request-id`. */
  readonly requestId: string;
  /** The address at the other end of the socket; undefined when nobody told. */
  readonly socketHostname: string | undefined;
}

/** The environment of all routes. */
export interface RelayEnv {
  Bindings: RelayBindings;
}

/** The environment of the routes that need a credential. */
export interface CallerEnv extends RelayEnv {
  Variables: {
    caller: Caller;
    /** The client's address, as the limits know it. */
    address: ClientAddress;
    /**
     * Keeps the request's place among those in progress, for an answer that streams; the place is free when the returned
     * function is called.
     */
    hold: () => () => void;
  };
}
