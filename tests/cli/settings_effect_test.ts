/**
 * What an operator sets arrives where it has its effect: one real `serve`, and each setting seen from outside.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openSqliteRecordStore } from "../../src/store/sqlite_record_store.ts";
import { pollInterval, type RelayClient, startRelay } from "../e2e/relay_process.ts";
import { identitySecret, jwtSecret } from "../e2e/rig.ts";
import { withProject } from "./spawned_relay.ts";

const allowedOrigin = "https://app.example";
const maxBodyBytes = 4_096;

Deno.test("serve obeys its settings", async (test) => {
  await using sandbox = await openSandbox();
  await withProject(async (project) => {
    const relay = await startRelay(project, sandbox, {
      AUTH_AI_CORS_ORIGINS: allowedOrigin,
      AUTH_AI_MAX_BODY_BYTES: `${maxBodyBytes}`,
      AUTH_AI_PROVIDERS: "openai,github",
      AUTH_AI_KEEP_ALIVE_SECONDS: "1",
      AUTH_AI_SILENCE_SECONDS: "3",
      AUTH_AI_ORIGINATOR: "settings-effect",
    });
    const jwt = await signIn(relay);
    const call = (body: string) =>
      fetch(`${relay.origin}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${jwt}` },
        body,
        signal: patience(),
      });

    await test.step("AUTH_AI_CORS_ORIGINS", async () => {
      const preflight = (origin: string, method: string) =>
        fetch(`${relay.origin}/v1/chat/completions`, {
          method: "OPTIONS",
          headers: { origin, "access-control-request-method": method },
        });
      for (const method of ["GET", "POST", "DELETE"]) {
        const { headers } = await preflight(allowedOrigin, method);
        assert.equal(headers.get("access-control-allow-origin"), allowedOrigin);
        const methods = headers.get("access-control-allow-methods")?.split(/, */) ?? [];
        assert.ok(methods.includes(method), `${method} is not among ${methods}`);
      }
      const { headers } = await preflight("https://evil.example", "POST");
      assert.equal(headers.get("access-control-allow-origin"), null);
    });

    await test.step("AUTH_AI_MAX_BODY_BYTES", async () => {
      const body = JSON.stringify({ model: "gpt-5.5", messages: [{ role: "user", content: "Say hello" }] });
      for (const [bytes, status] of [[maxBodyBytes, 200], [maxBodyBytes + 1, 413]] as const) {
        const response = await call(body.padEnd(bytes, " "));
        assert.equal(response.status, status, await response.text());
      }
    });

    await test.step("AUTH_AI_PROVIDERS", async () => {
      const { providers } = await (await fetch(`${relay.origin}/auth/providers`)).json();
      assert.deepEqual(providers.map(({ id }: { id: string }) => id), ["openai", "github"]);
      const start = await fetch(`${relay.origin}/auth/start`, { method: "POST", body: '{"provider":"xai"}' });
      assert.equal(start.status, 400);
      assert.match((await start.json()).error, /It offers: openai, github\.$/);
    });

    await test.step("AUTH_AI_KEEP_ALIVE_SECONDS and AUTH_AI_SILENCE_SECONDS", async () => {
      const kind = { type: "stream_hang", afterPieces: 1 } as const;
      sandbox.control.addFault({ upstream: "chatgpt", on: "call", kind });
      const messages = [{ role: "user", content: "Say hello" }];
      const response = await call(JSON.stringify({ model: "gpt-5.5", stream: true, messages }));
      assert.equal(response.status, 200);
      // Nobody releases the upstream, so the text has an end only because the relay gives it up.
      assert.match(await response.text(), /\n\n: keep-alive\n\n[^]*"code":"upstream_silent"/);
    });

    await test.step("AUTH_AI_ORIGINATOR", () => {
      const [asked] = sandbox.control.requests({ upstream: "chatgpt", on: "device" });
      assert.equal(asked?.headers["originator"], "settings-effect");
    });
  });
});

Deno.test("serve accepts the sessions of AUTH_AI_JWT_SECRET_PREVIOUS, and without it only its own", async () => {
  await using sandbox = await openSandbox();
  await withProject(async (project) => {
    const before = await startRelay(project, sandbox);
    const jwt = await signIn(before);
    await before.stop();
    const AUTH_AI_JWT_SECRET = "e5".repeat(16) + "f6".repeat(16);
    const cases = [[{ AUTH_AI_JWT_SECRET_PREVIOUS: jwtSecret }, 200], [{}, 401]] as const;
    for (const [previous, status] of cases) {
      const after = await startRelay(project, sandbox, { AUTH_AI_JWT_SECRET, ...previous });
      const response = await fetch(`${after.origin}/auth/whoami`, {
        headers: { authorization: `Bearer ${jwt}` },
      });
      assert.equal(response.status, status, await response.text());
      await after.stop();
    }
  });
});

Deno.test("serve removes the records that expired while it was down", () =>
  withProject(async ({ start, dataDir }) => {
    await Deno.mkdir(dataDir, { mode: 0o700 });
    const path = join(dataDir, "relay.db");
    const [expired, living] = ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "01BX5ZZKBKACTAV9WEVGEMMVRZ"];
    const nowMs = Date.now();
    const store = await openSqliteRecordStore({ path });
    for (const [id, expiresAtMs] of [[expired, nowMs - 1], [living, nowMs + 3_600_000]] as const) {
      await store.insert({
        id,
        iv: new Uint8Array(12),
        blob: new Uint8Array(32),
        accountIdHash: "a".repeat(43),
        createdAtMs: nowMs - 2,
        updatedAtMs: nowMs - 2,
        expiresAtMs,
      });
    }
    await store.close();

    await start("serve", [], {
      AUTH_AI_JWT_SECRET: jwtSecret,
      AUTH_AI_IDENTITY_SECRET: identitySecret,
      AUTH_AI_ORIGINATOR: "sweep",
      AUTH_AI_PORT: "0",
    }).output(/listens/);
    using database = new DatabaseSync(path, { readOnly: true });
    const ids = () => database.prepare("SELECT id FROM record ORDER BY id").all().map(({ id }) => id);
    const giveUp = patience();
    while (ids().includes(expired) && !giveUp.aborted) await pollInterval(20);
    assert.deepEqual(ids(), [living]);
  }));

/** A sandbox that approves at once. */
async function openSandbox(): Promise<Sandbox & AsyncDisposable> {
  const sandbox = await startSandbox({ autoApprove: "ada", pollIntervalSeconds: 0 });
  return { ...sandbox, [Symbol.asyncDispose]: () => sandbox.shutdown() };
}

async function signIn(relay: RelayClient): Promise<string> {
  const { jwt, ...answer } = await relay.pollToEnd(await relay.start("openai"));
  assert.ok(jwt !== undefined, JSON.stringify(answer));
  return jwt;
}

/** Ends a test that would otherwise wait for ever. */
function patience(): AbortSignal {
  return AbortSignal.timeout(20_000);
}
