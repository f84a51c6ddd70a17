/**
 * What goes wrong at an upstream reaches the client as what it is: with the true status before the first byte, as an
 * error in the client's dialect after it, and never as a normal finish.
 */
import assert from "node:assert/strict";
import type { Timers } from "../../src/app/timers.ts";
import type { Fault } from "../../src/sandbox/contract.ts";
import type { ProviderId } from "../../src/provider/provider.ts";
import { type Rig, startRig } from "../e2e/rig.ts";

const dialects = ["chat", "responses", "completions"] as const;

const upstreams: readonly {
  readonly provider: ProviderId;
  readonly upstream: Fault["upstream"];
  readonly models: Readonly<Record<(typeof dialects)[number], string>>;
}[] = [
  {
    provider: "openai",
    upstream: "chatgpt",
    models: { chat: "gpt-5.5", completions: "gpt-5.5", responses: "gpt-5.5" },
  },
  {
    provider: "xai",
    upstream: "grok",
    models: { chat: "grok-4.5", completions: "grok-4.5", responses: "grok-4.5" },
  },
  {
    provider: "github",
    upstream: "copilot",
    models: { chat: "gpt-4.1", completions: "gpt-4.1", responses: "gpt-5.3-codex" },
  },
];

const requests: Readonly<
  Record<(typeof dialects)[number], { readonly path: string; readonly question: object }>
> = {
  chat: { path: "chat/completions", question: { messages: [{ role: "user", content: "Count to 30" }] } },
  responses: { path: "responses", question: { input: "Count to 30" } },
  completions: { path: "completions", question: { prompt: "Count to 30" } },
};

/** Pauses are over at once; limits and keep-alives never come. */
const hurried: Timers = {
  after(delayMs, callback) {
    if (delayMs < 2_000) queueMicrotask(callback);
    return () => {};
  },
  every: () => () => {},
};

function ask(
  rig: Rig,
  jwt: string,
  dialect: (typeof dialects)[number],
  model: string,
  stream: boolean,
  signal?: AbortSignal,
) {
  const { path, question } = requests[dialect];
  return fetch(`${rig.origin}/v1/${path}`, {
    method: "POST",
    headers: { "authorization": `Bearer ${jwt}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream, ...question }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The data of each event. */
function events(text: string): string[] {
  return text.split("\n\n").flatMap((frame) => frame.split("\n").filter((line) => line.startsWith("data: ")))
    .map((line) => line.slice("data: ".length));
}

const before: readonly [name: string, kind: Fault["kind"], status: number][] = [
  ["429", { type: "status", status: 429 }, 429],
  ["500", { type: "status", status: 500 }, 500],
  ["503", { type: "status", status: 503 }, 503],
  ["a challenge page", { type: "challenge" }, 503],
  ["a dropped connection", { type: "drop" }, 502],
];

const retried = new Set(["500", "503", "a dropped connection"]);

const after: readonly [name: string, kind: Fault["kind"]][] = [
  ["a failed response", { type: "stream_failed", afterPieces: 3 }],
  ["an error event", { type: "stream_error_event", afterPieces: 3 }],
  ["a cut connection", { type: "stream_cut", afterPieces: 3 }],
  ["an early end", { type: "stream_eof", afterPieces: 3 }],
  ["garbage", { type: "stream_garbage", afterPieces: 3 }],
  ["an overload as the first event", { type: "overloaded_in_stream" }],
];

/** Faults that leave nothing before them, or take it with them: a connection that is reset loses what was on the way. */
const silentBefore = new Set(["stream_cut", "overloaded_in_stream"]);

for (const { provider, upstream, models } of upstreams) {
  for (const dialect of dialects) {
    Deno.test(`${provider}: faults of the upstream are told truthfully in ${dialect}`, async (test) => {
      await using rig = await startRig({ relay: { timers: hurried } });
      const jwt = await rig.signIn(provider);

      for (const [name, kind, status] of before) {
        for (const stream of [true, false]) {
          await test.step(`${name} before the first byte, ${stream ? "streamed" : "collected"}`, async () => {
            // As often as the relay tries what may be passing.
            const times = retried.has(name) ? 3 : 1;
            rig.sandbox.control.addFault({ upstream, on: "call", kind, times });
            const response = await ask(rig, jwt, dialect, models[dialect], stream);
            assert.deepEqual(rig.sandbox.control.faults(), [], "the fault was met");
            const text = await response.text();
            assert.equal(response.status, status, text);
            const { error } = JSON.parse(text);
            assert.deepEqual(Object.keys(error).sort(), ["code", "message", "param", "type"]);
            assert.ok(!/<html|cloudflare/i.test(error.message), error.message);
            if (status === 429) {
              assert.equal(error.type, "rate_limit_error");
              assert.match(response.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
            }
          });
        }
      }

      for (const [name, kind] of after) {
        await test.step(`${name} after the first byte, streamed`, async () => {
          rig.sandbox.control.addFault({ upstream, on: "call", kind });
          const response = await ask(rig, jwt, dialect, models[dialect], true);
          assert.equal(response.status, 200);
          const data = events(await response.text());
          const text = data.join("\n");
          if (!silentBefore.has(kind.type)) {
            assert.match(text, /2/, "what came before the fault is delivered");
          }
          assert.ok(!data.includes("[DONE]"), text);
          assert.ok(!text.includes('"response.completed"'), text);
          assert.ok(!/"finish_reason":"/.test(text), text);
          const last = JSON.parse(data.at(-1) ?? "");
          assert.equal(
            typeof (dialect === "responses" ? last.response.error : last.error).message,
            "string",
            text,
          );
          if (dialect === "responses") assert.equal(last.type, "response.failed");
        });

        // Only ChatGPT streams to us although the client asked for one document.
        if (provider !== "openai") continue;
        await test.step(`${name} after the first byte, collected`, async () => {
          rig.sandbox.control.addFault({ upstream, on: "call", kind });
          const response = await ask(rig, jwt, dialect, models[dialect], false);
          const text = await response.text();
          assert.ok(response.status >= 400, `${response.status} ${text}`);
          assert.equal(typeof JSON.parse(text).error.message, "string");
        });
      }

      await test.step("an error document instead of a stream is an error before the first byte", async () => {
        rig.sandbox.control.addFault({ upstream, on: "call", kind: { type: "json_error_in_200" }, times: 3 });
        const response = await ask(rig, jwt, dialect, models[dialect], true);
        const text = await response.text();
        assert.ok(response.status >= 400, `${response.status} ${text}`);
        assert.equal(typeof JSON.parse(text).error.message, "string");
        while (rig.sandbox.control.faults().length > 0) {
          await (await ask(rig, jwt, dialect, models[dialect], true)).body?.cancel();
        }
      });

      await test.step("an answer that is cut by its length says so, and is no error", async () => {
        rig.sandbox.control.addFault({
          upstream,
          on: "call",
          kind: { type: "stream_incomplete", afterPieces: 3 },
        });
        const response = await ask(rig, jwt, dialect, models[dialect], true);
        const text = events(await response.text()).join("\n");
        assert.match(
          text,
          dialect === "responses" ? /"type":"response\.incomplete"/ : /"finish_reason":"length"/,
        );
        assert.ok(!text.includes('"error":{"message"'), text);
      });

      await test.step("a client that leaves stops the upstream", async () => {
        rig.sandbox.control.addFault({ upstream, on: "call", kind: { type: "stream_hang", afterPieces: 3 } });
        const controller = new AbortController();
        const response = await ask(rig, jwt, dialect, models[dialect], true, controller.signal);
        const reader = response.body?.getReader();
        await reader?.read();
        controller.abort();
        await reader?.read().catch(() => {});
        await rig.sandbox.control.waitForRequests({ upstream, on: "call", end: "client_left" }, 1);
      });
    });
  }
}
