/// <reference lib="dom" />
/**
 * The page in a real browser, against a stub relay under a sub-path. Time is the test's: Playwright's clock replaces the
 * page's timers, so that no test waits.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { startStubRelay, type StubRelay } from "./stub_relay.ts";

/** Debian's chromium. */
const executablePath = "/usr/bin/chromium";

const chromiumArgs = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

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

/**
 * Starts one browser for the tests of the calling file and returns what declares them. Each test has a fresh profile and
 * fails when the page throws or runs into its own content security policy. Without a chromium the tests are skipped.
 */
export async function browserTests(): Promise<BrowserTest> {
  const installed = await Deno.stat(executablePath).then(() => true, () => false);
  const skipped = installed ? "" : ` (skipped: no chromium at ${executablePath})`;
  let browser: Browser | undefined;
  Deno.test.beforeAll(async () => {
    if (installed) browser = await chromium.launch({ executablePath, args: chromiumArgs });
  });
  Deno.test.afterAll(async () => await browser?.close());

  return (name, run) =>
    Deno.test({
      name: `sign-in page ${name}${skipped}`,
      ignore: !installed,
      // The browser outlives the single test.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        assert(browser !== undefined);
        await using relay = startStubRelay();
        const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
        try {
          context.setDefaultTimeout(10_000);
          const page = await context.newPage();
          const faults = recordFaults(page);
          await page.clock.install();
          await run(benchFor(relay, context, page));
          assert.deepEqual(faults, []);
        } finally {
          await context.close();
        }
      },
    });
}

function recordFaults(page: Page): readonly string[] {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text());
  });
  return faults;
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
