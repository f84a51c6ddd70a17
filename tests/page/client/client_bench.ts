/**
 * A browser client over a real socket, with timers that the test fires.
 *
 * @module
 */
import { type BrowserClient, createBrowserClient } from "../../../src/page/client/browser_client.ts";
import { type ManualTimer, manualTimers } from "../manual_timers.ts";
import { startStubRelay, type StubRelay } from "../stub_relay.ts";

/** The session JWT of the tests. */
export const jwt = "header.payload.canary-signature";

/** What a client test works with. */
export interface Bench {
  readonly relay: StubRelay;
  readonly client: BrowserClient;
  readonly nextTimer: () => Promise<ManualTimer>;
  readonly abort: AbortController;
}

/** Declares a test with a stub relay of its own. */
export function clientTest(name: string, run: (bench: Bench) => Promise<void>): void {
  Deno.test(name, async () => {
    await using relay = startStubRelay();
    const timers = manualTimers();
    const client = createBrowserClient({ baseUrl: relay.baseUrl, fetch, schedule: timers.schedule });
    await run({ relay, client, nextTimer: timers.next, abort: new AbortController() });
  });
}
