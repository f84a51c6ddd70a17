/// <reference lib="dom" />
/**
 * The way to a session, as a person with a browser goes it.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTests, focusedHeading, focusedId, grantClipboard, jwt, stored } from "./browser_bench.ts";
import { json, sessionId, type StubRelay } from "./stub_relay.ts";

const browserTest = await browserTests();
const poll = `GET /auth/poll/${sessionId}`;

async function startSignIn(page: Page, provider: string): Promise<void> {
  await page.getByRole("button", { name: provider }).click();
  await page.getByText("WDJB-MJHT5").waitFor();
}

function pollCount(relay: StubRelay): number {
  return relay.requests.filter(({ path }) => path.startsWith("/auth/poll/")).length;
}

browserTest("lists the providers in the relay's order", async ({ page, open }) => {
  await open();
  const names = await page.locator("#provider-list button").allInnerTexts();
  assert.deepEqual(names, ["ChatGPT", "Grok", "GitHub Copilot"]);
  assert.equal(await focusedHeading(page), "Sign in");
});

browserTest("shows code, link, QR code and countdown, then the session", async (bench) => {
  const { page, relay, open } = bench;
  relay.on(poll, json({ status: "pending" }), json({ status: "complete", jwt }));
  await open();
  await startSignIn(page, "ChatGPT");
  assert.equal(await focusedHeading(page), "Sign in with ChatGPT");
  assert.equal(await page.title(), "Waiting for approval");
  const link = page.getByRole("link", { name: "Open auth.openai.com (opens a new tab)" });
  assert.equal(await link.getAttribute("href"), "https://auth.openai.com/codex/device");
  assert.equal(await link.getAttribute("target"), "_blank");
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  const picture = await page.getByRole("img", { name: "QR code" }).boundingBox();
  assert(picture !== null && picture.width > 100 && picture.width === picture.height);
  assert.match(await page.locator("#qr-path").getAttribute("d") ?? "", /^M4 4h7v1h-7z/);
  assert.equal(await page.getByRole("timer").innerText(), "15:00");

  const answered = page.waitForResponse((response) => response.url().includes("/auth/poll/"));
  await page.clock.runFor(5000);
  await (await answered).finished();
  assert.equal(await page.getByRole("timer").innerText(), "14:55");
  await page.clock.runFor(5000);

  await page.getByRole("heading", { name: "Signed in" }).waitFor();
  assert.equal(await focusedHeading(page), "Signed in");
  assert.equal(await page.title(), "Signed in");
  assert.equal(await page.locator("#session-provider").innerText(), "ChatGPT");
  assert.equal(
    await page.locator("#session-user").innerText(),
    "Q0hBVEdQVC1wZXJzb24tb3BhcXVlLWlkZW50aWZpZXI",
  );
  assert.match(await page.locator("#session-ends").innerText(), /^6 Dec 2026/);
  assert.deepEqual(await stored(bench), [{ "authai:jwt": jwt }, {}, []]);
  assert.equal(pollCount(relay), 2);
});

browserTest("copies the code, or selects it where the clipboard is blocked", async (bench) => {
  const { page, open } = bench;
  await grantClipboard(bench);
  await open();
  await startSignIn(page, "ChatGPT");
  const copy = page.getByRole("button", { name: "Copy", exact: true });
  await copy.click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "WDJB-MJHT5");
  assert.equal(await page.locator("#announcer").innerText(), "Copied.");
  await page.clock.runFor(2000);
  await copy.waitFor();

  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await copy.click();
  await page.getByRole("button", { name: "Press Ctrl+C" }).waitFor();
  assert.equal(await page.evaluate(() => String(document.getSelection())), "WDJB-MJHT5");
});

browserTest("works with the keyboard alone", async ({ page, relay, open }) => {
  await open();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("WDJB-MJHT5").waitFor();
  assert.equal(relay.requests.find(({ path }) => path === "/auth/start")?.body, '{"provider":"xai"}');
  for (const id of ["copy-code", "verification-link", "cancel-sign-in"]) {
    await page.keyboard.press("Tab");
    assert.equal(await focusedId(page), id);
  }
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Grok" }).waitFor();
});

browserTest("stops polling when the person cancels", async ({ page, relay, open }) => {
  await open();
  await startSignIn(page, "ChatGPT");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Grok" }).waitFor();
  await page.clock.runFor(30_000);
  await startSignIn(page, "Grok");
  assert.equal(pollCount(relay), 0);
});

browserTest("says why a sign-in was refused and starts again with the same provider", async (bench) => {
  const { page, relay, open } = bench;
  relay.on(poll, json({ status: "error", error: "You refused the sign-in at Grok." }));
  await open();
  await startSignIn(page, "Grok");
  await page.clock.runFor(5000);
  await page.getByText("You refused the sign-in at Grok.").waitFor();
  assert.equal(await focusedHeading(page), "You are not signed in");
  assert.equal(await page.title(), "Sign-in did not work");
  await page.getByRole("button", { name: "Start again" }).click();
  await page.getByRole("heading", { name: "Sign in with Grok" }).waitFor();
  const starts = relay.requests.filter(({ path }) => path === "/auth/start").map(({ body }) => body);
  assert.deepEqual(starts, ['{"provider":"xai"}', '{"provider":"xai"}']);
});

browserTest(
  "tells a code that expired, by the relay's word and by the clock",
  async ({ page, relay, open }) => {
    relay.on(poll, json({ status: "expired" }));
    await open();
    await startSignIn(page, "ChatGPT");
    await page.clock.runFor(5000);
    await page.getByRole("heading", { name: "The code has expired" }).waitFor();

    const hung = Promise.withResolvers<Response>();
    relay.on(poll, () => hung.promise);
    await page.getByRole("button", { name: "Start again" }).click();
    await page.getByText("WDJB-MJHT5").waitFor();
    await page.clock.runFor(840_000);
    assert.equal(await page.getByRole("timer").innerText(), "1:00");
    assert.match(await page.locator("#announcer").innerText(), /^One minute is left/);
    await page.clock.runFor(60_000);
    await page.getByRole("heading", { name: "The code has expired" }).waitFor();
    hung.resolve(Response.json({ status: "pending" }));
  },
);

browserTest("shows the relay's sentence as text, whatever is in it", async ({ page, relay, open }) => {
  const sentence = '<img src="x" onerror="document.title=1"><b>Grok</b> is not enabled on this relay.';
  relay.on("POST /auth/start", json({ error: sentence }, 400));
  await open();
  await page.getByRole("button", { name: "Grok" }).click();
  await page.getByRole("alert").getByText("is not enabled").waitFor();
  assert.equal(await page.locator("#problem-message").innerText(), sentence);
  assert.equal(await page.locator("img, #problem-message *").count(), 0);
  await page.getByRole("button", { name: "Choose another provider" }).click();
  await page.getByRole("button", { name: "Grok" }).waitFor();
});

browserTest("can try again when the relay does not answer", async ({ page, relay }) => {
  relay.on("GET /auth/providers", () => new Response("<h1>Bad gateway</h1>", { status: 502 }));
  await page.goto(`${relay.baseUrl}sign-in`);
  await page.getByText("The relay answered with status 502.").waitFor();
  relay.on("GET /auth/providers", json({ providers: [{ id: "xai", displayName: "Grok" }] }));
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("button", { name: "Grok" }).waitFor();
});
