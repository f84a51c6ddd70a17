/// <reference lib="dom" />
/**
 * The page in a real browser, against a stub relay under a sub-path. Time is the test's: Playwright's clock replaces the
 * page's timers, so that no test waits.
 *
 * @module
 */
import type { BrowserContext, Page } from "playwright-core";
import { chromiumTests } from "./chromium.ts";
import { startStubRelay, type StubRelay } from "./stub_relay.ts";

/** The session JWT of the browser tests; it must not turn up where it does not belong. */
export const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJ2IjoxfQ.canary-jwt-signature";

/** What a browser test works with. */
export interface Bench {
  readonly relay: StubRelay;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Opens the page without a session and waits for the providers. */
  readonly open: () => Promise<void>;
  /** Opens the page with a session that it kept, and waits until the models are there. */
  readonly openSignedIn: () => Promise<void>;
}

/** Declares one test. */
export type BrowserTest = (name: string, run: (bench: Bench) => Promise<void>) => void;

/** Starts one browser for the tests of the calling file and returns what declares them. */
export async function browserTests(): Promise<BrowserTest> {
  const declare = await chromiumTests(startStubRelay);
  return (name, run) =>
    declare(`sign-in page ${name}`, async (relay, context) => {
      const page = await context.newPage();
      await page.clock.install();
      await run(benchFor(relay, context, page));
    });
}

function benchFor(relay: StubRelay, context: BrowserContext, page: Page): Bench {
  return {
    relay,
    context,
    page,
    async open() {
      await page.goto(`${relay.baseUrl}sign-in`);
      await page.getByRole("button", { name: "Grok" }).waitFor();
    },
    async openSignedIn() {
      await page.route("**/seed", (route) => route.fulfill({ body: "" }));
      await page.goto(`${relay.baseUrl}seed`);
      await page.evaluate((value) => sessionStorage.setItem("authai:jwt", value), jwt);
      await page.goto(`${relay.baseUrl}sign-in`);
      await page.locator("#chat-model:enabled").waitFor();
    },
  };
}

/** The heading that has the focus, which is where a screen reader goes on. */
export async function focusedHeading(page: Page): Promise<string> {
  return (await page.locator("h1:focus").innerText()).trim();
}

/** The id of the element that has the focus. */
export function focusedId(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.activeElement?.id);
}

/** Lets the page use the clipboard, as a browser does after the person has agreed. */
export async function grantClipboard({ context, relay }: Bench): Promise<void> {
  const { origin } = new URL(relay.baseUrl);
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
}

/** What the browser keeps: this tab's sessionStorage, the localStorage and the cookies. */
export async function stored({ context, page }: Bench): Promise<unknown[]> {
  const storages = await page.evaluate(() => [{ ...sessionStorage }, { ...localStorage }]);
  return [...storages, await context.cookies()];
}
