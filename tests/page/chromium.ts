/**
 * Tests in a real browser.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Browser, type BrowserContext, chromium } from "playwright-core";

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

/** Declares one test; it is given its own servers and a fresh profile, in that order started and in the other stopped. */
export type ChromiumTest<Servers> = (
  name: string,
  run: (servers: Servers, context: BrowserContext) => Promise<void>,
) => void;

/**
 * Starts one browser for the tests of the calling file and returns what declares them. A test fails when one of its pages
 * throws or runs into its own content security policy. Without a chromium the tests are skipped.
 */
export async function chromiumTests<Servers extends AsyncDisposable>(
  start: () => Servers | Promise<Servers>,
): Promise<ChromiumTest<Servers>> {
  const installed = await Deno.stat(executablePath).then(() => true, () => false);
  const skipped = installed ? "" : ` (skipped: no chromium at ${executablePath})`;
  let browser: Browser | undefined;
  Deno.test.beforeAll(async () => {
    if (installed) browser = await chromium.launch({ executablePath, args: chromiumArgs });
  });
  Deno.test.afterAll(async () => await browser?.close());

  return (name, run) =>
    Deno.test({
      name: `${name}${skipped}`,
      ignore: !installed,
      // The browser outlives the single test.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        assert(browser !== undefined);
        await using servers = await start();
        const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC" });
        try {
          context.setDefaultTimeout(10_000);
          const faults = recordFaults(context);
          await run(servers, context);
          assert.deepEqual(faults, []);
        } finally {
          await context.close();
        }
      },
    });
}

function recordFaults(context: BrowserContext): readonly string[] {
  const faults: string[] = [];
  context.on("weberror", (fault) => faults.push(fault.error().message));
  context.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text());
  });
  return faults;
}
