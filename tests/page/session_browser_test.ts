/// <reference lib="dom" />
/**
 * What a signed-in person does in a browser, until the session ends.
 *
 * @module
 */
import assert from "node:assert/strict";
import { browserTests, focusedId, grantClipboard, jwt, stored } from "./browser_bench.ts";
import { chunk, events, json, type Reply } from "./stub_relay.ts";

const browserTest = await browserTests();
const chat = "POST /v1/chat/completions";

browserTest("keeps the session over a reload and its JWT out of sight", async (bench) => {
  const { page, relay, openSignedIn } = bench;
  await grantClipboard(bench);
  await openSignedIn();
  await page.reload();
  await page.locator("#chat-model:enabled").waitFor();
  const key = page.getByLabel("API key (session JWT)");
  assert.match(await key.inputValue(), /^\u2022+$/);
  assert(!(await page.content()).includes("canary"));

  await page.getByText("Use it with an OpenAI SDK").click();
  assert.equal(await page.getByLabel("Base URL", { exact: true }).inputValue(), `${relay.baseUrl}v1`);
  await page.getByRole("button", { name: "Copy the API key" }).click();
  await page.getByText("Copied.").waitFor({ state: "attached" });
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), jwt);
  assert.match(await key.inputValue(), /^\u2022+$/);
  await page.getByRole("button", { name: "Show the API key" }).click();
  assert.equal(await key.inputValue(), jwt);
  await page.getByRole("button", { name: "Show the API key" }).click();
  assert.match(await key.inputValue(), /^\u2022+$/);

  for (const { path, headers } of relay.requests) {
    assert(!path.includes("canary"));
    assert.equal(headers.get("referer"), null);
  }
});

browserTest("streams an answer from the chosen model", async ({ page, relay, openSignedIn }) => {
  await openSignedIn();
  await page.getByLabel("Model").selectOption("gpt-5.5-mini");
  await page.getByLabel("Message").fill("Say <hello>");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Done").waitFor();
  assert.equal(await page.getByRole("region", { name: "Answer" }).innerText(), "Hello, world.");
  const request = relay.requests.find(({ path }) => path === "/v1/chat/completions");
  assert.equal(request?.headers.get("authorization"), `Bearer ${jwt}`);
  assert.deepEqual(JSON.parse(request.body), {
    model: "gpt-5.5-mini",
    stream: true,
    messages: [{ role: "user", content: "Say <hello>" }],
  });
});

browserTest("shows the answer while it grows, and Stop stops it at the relay", async (bench) => {
  const { page, relay, openSignedIn } = bench;
  const cancelled = Promise.withResolvers<void>();
  const first = new TextEncoder().encode(`data: ${chunk({ content: "<b>Half</b> a" })}\n\n`);
  relay.on(chat, () => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(first),
      cancel: () => cancelled.resolve(),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  await openSignedIn();
  await page.getByLabel("Message").fill("Go on");
  await page.getByRole("button", { name: "Send" }).click();
  const answer = page.getByRole("region", { name: "Answer" });
  await answer.getByText("Half").waitFor();
  assert.equal(await answer.getAttribute("aria-busy"), "true");
  assert.equal(await focusedId(page), "chat-stop");
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Stopped").waitFor();
  await cancelled.promise;
  assert.equal(await answer.innerText(), "<b>Half</b> a");
  assert.equal(await answer.getAttribute("aria-busy"), "false");
  assert.equal(await focusedId(page), "chat-send");
});

browserTest("never shows a failed, cut or limited answer as a finished one", async (bench) => {
  const { page, relay, openSignedIn } = bench;
  const half = chunk({ content: "Half" });
  const cases: [Reply, string][] = [
    [events(half), "The answer broke off before its end."],
    [
      events(half, JSON.stringify({ error: { message: "The usage limit has been reached." } })),
      "usage limit",
    ],
    [json({ error: { message: "The model does not exist." } }, 404), "The model does not exist."],
    [events(half, chunk({}, "length"), "[DONE]"), "output limit was reached"],
  ];
  await openSignedIn();
  await page.getByLabel("Message").fill("Go on");
  for (const [reply, sentence] of cases) {
    relay.on(chat, reply);
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText(sentence).waitFor();
    await page.getByRole("button", { name: "Send" }).waitFor();
    assert.equal(await page.getByText("Done", { exact: true }).count(), 0);
  }
});

browserTest("can ask for the models again", async ({ page, relay, openSignedIn }) => {
  relay.on(
    "GET /v1/models",
    json({ error: { message: "The provider is busy." } }, 503),
    json({ data: [{ id: "grok-4.5" }] }),
  );
  const opened = openSignedIn();
  await page.getByText("The provider is busy.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Send" }).isEnabled(), false);
  await page.getByRole("button", { name: "Try again" }).click();
  await opened;
  assert.deepEqual(await page.locator("#chat-model option").allInnerTexts(), ["grok-4.5"]);
  assert.equal(await page.getByText("The provider is busy.").count(), 0);
});

browserTest("signs out at the relay and forgets everything", async (bench) => {
  const { page, relay, openSignedIn } = bench;
  relay.on(
    "POST /auth/revoke",
    json({ error: { message: "The store is down." } }, 503),
    () => new Response(null, { status: 204 }),
  );
  await openSignedIn();
  await page.getByText("Use it with an OpenAI SDK").click();
  await page.getByRole("button", { name: "Show the API key" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are still signed in. The store is down.").waitFor();
  assert.deepEqual(await stored(bench), [{ "authai:jwt": jwt }, {}, []]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();
  assert.deepEqual(await stored(bench), [{}, {}, []]);
  assert.match(await page.locator("#session-jwt").inputValue(), /^\u2022+$/);
  const revoke = relay.requests.find(({ path }) => path === "/auth/revoke");
  assert.equal(revoke?.headers.get("authorization"), `Bearer ${jwt}`);
});

browserTest("asks for a new sign-in when the session has ended", async (bench) => {
  const { page, relay, openSignedIn } = bench;
  relay.on(chat, json({ error: "unauthorized" }, 401));
  await openSignedIn();
  await page.getByLabel("Message").fill("Hello");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Your session has ended. Sign in again.").waitFor();
  await page.getByRole("button", { name: "ChatGPT" }).waitFor();
  assert.deepEqual(await stored(bench), [{}, {}, []]);
});

browserTest("keeps the session when whoami fails for another reason than 401", async (bench) => {
  const { page, relay, openSignedIn } = bench;
  relay.on("GET /auth/whoami", () => new Response("", { status: 503 }));
  const opened = openSignedIn();
  await page.getByRole("heading", { name: "The session cannot be opened" }).waitFor();
  assert.deepEqual(await stored(bench), [{ "authai:jwt": jwt }, {}, []]);
  relay.on("GET /auth/whoami", json({ user: { id: "u", provider: "github" }, session: { expires: null } }));
  await page.getByRole("button", { name: "Try again" }).click();
  await opened;
  assert.equal(await page.locator("#session-provider").innerText(), "GitHub Copilot");
});

browserTest("follows the colour scheme and fits a narrow phone", async ({ page, openSignedIn }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await openSignedIn();
  await page.getByText("Use it with an OpenAI SDK").click();
  await page.getByRole("button", { name: "Show the API key" }).click();
  assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  const light = await background();
  await page.emulateMedia({ colorScheme: "dark" });
  assert.notEqual(await background(), light);
});
