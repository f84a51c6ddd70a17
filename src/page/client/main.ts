/// <reference lib="dom" />
/**
 * Entry of the bundle that the relay serves as `sign-in/client.js`: gives the page the browser's own fetch, timer, clock
 * and storage.
 *
 * @module
 */
import { createBrowserClient, type Schedule } from "./browser_client.ts";
import { createSessionKeeper } from "./session_keeper.ts";
import { runSignInPage } from "./sign_in_page.ts";

/** The script lives at `<relay>/sign-in/client.js`, wherever the relay is mounted. */
const baseUrl = new URL("../", import.meta.url).href;

const schedule: Schedule = (delayMs, callback) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};

runSignInPage({
  document,
  client: createBrowserClient({ baseUrl, fetch: (url, init) => fetch(url, init), schedule }),
  session: createSessionKeeper(() => sessionStorage),
  schedule,
  nowMs: () => Date.now(),
  baseUrl,
});
