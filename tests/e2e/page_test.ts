/// <reference lib="dom" />
/**
 * The relay's page, a relay and the sandbox's pages, as a person with a browser meets them. One clock for all of them,
 * which the test turns.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { chromiumTests } from "../page/chromium.ts";
import { type Rig, startRig } from "./rig.ts";

const browserTest = await chromiumTests(startRig);

/** The providers as the page names them, and who answers for them. */
const providers = [
  { name: "ChatGPT", upstream: "chatgpt" },
  { name: "Grok", upstream: "grok" },
  { name: "GitHub Copilot", upstream: "copilot" },
] as const;

/** Opens the page of the relay, with the relay's time. */
async function openPage(rig: Rig, context: BrowserContext): Promise<Page> {
  await context.clock.install({ time: rig.clock.nowMs });
  const page = await context.newPage();
  await page.goto(`${rig.origin}/sign-in`);
  return page;
}

/** Chooses a provider and follows the page's link to the provider's own page, which waits for a decision. */
async function openConsent(page: Page, provider: string): Promise<Page> {
  await page.getByRole("button", { name: provider }).click();
  const opened = page.waitForEvent("popup");
  await page.getByRole("link", { name: /^Open / }).click();
  const consent = await opened;
  const userCode = await page.locator("#user-code").innerText();
  const field = consent.getByLabel("Code");
  const shownCode = consent.getByTestId("user-code");
  await field.or(shownCode).waitFor();
  if (await field.isVisible()) {
    await field.fill(userCode);
    await consent.getByRole("button", { name: "Continue" }).click();
  }
  assert.equal(await shownCode.innerText(), userCode);
  return consent;
}

/** Lets the interval of the sign-in pass, for everybody. */
async function nextPoll(rig: Rig, page: Page): Promise<void> {
  rig.clock.nowMs += 5_000;
  await page.clock.runFor(5_000);
}

/** Signs a person in with two tabs, and returns the session JWT that the page keeps. */
async function signIn(rig: Rig, page: Page, provider: string, person: string): Promise<string> {
  const consent = await openConsent(page, provider);
  await consent.getByLabel(person).check();
  await consent.getByRole("button", { name: "Approve" }).click();
  await consent.getByRole("heading", { name: "You are signed in" }).waitFor();
  await consent.close();
  await nextPoll(rig, page);
  await page.getByRole("heading", { name: "Signed in" }).waitFor();
  const jwt = await page.evaluate(() => sessionStorage.getItem("authai:jwt"));
  assert.ok(jwt !== null);
  return jwt;
}

async function whoami(rig: Rig, jwt: string): Promise<Response> {
  return await fetch(`${rig.origin}/auth/whoami`, { headers: { authorization: `Bearer ${jwt}` } });
}

for (const { name, upstream } of providers) {
  browserTest(`a person signs in with ${name}, asks and signs out`, async (rig, context) => {
    const page = await openPage(rig, context);
    const jwt = await signIn(rig, page, name, "Bob Example");
    assert.equal(await page.locator("#session-provider").innerText(), name);
    const owner = await whoami(rig, jwt);
    assert.equal(owner.status, 200);
    assert.equal(await page.locator("#session-user").innerText(), (await owner.json()).user.id);

    await page.locator("#chat-model:enabled").waitFor();
    await page.getByLabel("Message").fill("Say hello");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Done").waitFor();
    const model = await page.getByLabel("Model").inputValue();
    assert.equal(
      await page.getByRole("region", { name: "Answer" }).innerText(),
      `Hello from ${model}! You said: "Say hello".`,
    );
    assert.equal(rig.sandbox.control.requests({ upstream, on: "call" }).length, 1);

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await page.getByRole("button", { name }).waitFor();
    const refused = await whoami(rig, jwt);
    assert.equal(refused.status, 401);
    assert.deepEqual(await refused.json(), { error: "unauthorized" });
    assert.ok(!(await page.content()).includes(jwt), "the page still holds the session");
  });
}

browserTest("an answer is shown while it is written", async (rig, context) => {
  const page = await openPage(rig, context);
  await signIn(rig, page, "ChatGPT", "Ada Example");
  await page.locator("#chat-model:enabled").waitFor();
  rig.sandbox.control.addFault({
    upstream: "chatgpt",
    on: "call",
    kind: { type: "stream_hang", afterPieces: 3 },
  });
  await page.getByLabel("Message").fill("Count to 12");
  await page.getByRole("button", { name: "Send" }).click();

  const answer = page.getByRole("region", { name: "Answer" });
  await answer.getByText("1 2 3", { exact: true }).waitFor();
  await page.getByText("Answering").waitFor();
  assert.equal(rig.sandbox.control.release(), 1);
  await page.getByText("Done").waitFor();
  assert.equal(await answer.innerText(), "1 2 3 4 5 6 7 8 9 10 11 12");
});

browserTest("an answer that is stopped stops the provider", async (rig, context) => {
  const page = await openPage(rig, context);
  await signIn(rig, page, "ChatGPT", "Ada Example");
  await page.locator("#chat-model:enabled").waitFor();
  rig.sandbox.control.addFault({
    upstream: "chatgpt",
    on: "call",
    kind: { type: "stream_hang", afterPieces: 3 },
  });
  await page.getByLabel("Message").fill("Count to 12");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("region", { name: "Answer" }).getByText("1 2 3", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Stopped").waitFor();
  await rig.sandbox.control.waitForRequests({ on: "call", end: "client_left" });
});

browserTest("a person who denies is told so, and may start again", async (rig, context) => {
  const page = await openPage(rig, context);
  const consent = await openConsent(page, "Grok");
  await consent.getByRole("button", { name: "Deny" }).click();
  await consent.getByRole("heading", { name: "Sign-in denied" }).waitFor();
  await consent.close();
  await nextPoll(rig, page);

  await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
  assert.equal(
    await page.getByRole("alert").innerText(),
    "The sign-in was refused on the provider's page.",
  );
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.getByRole("button", { name: "Start again" }).click();
  await page.getByText("Waiting for approval").waitFor();
});
