import assert from "node:assert/strict";
import { join } from "node:path";
import { openOwnerSessions, ownerSessionsPath } from "../../src/credential/owner_sessions.ts";
import type { ProviderId } from "../../src/provider/provider.ts";

async function withDataDir(test: (dataDir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(join(dir, "data"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const fileKey = new Uint8Array(32).fill(7);

Deno.test("read() finds nobody where there is no file, and makes none", () =>
  withDataDir(async (dataDir) => {
    const { fileKey, sessions } = await openOwnerSessions(dataDir).read();
    assert.deepEqual([fileKey, sessions.size], [undefined, 0]);
    await assert.rejects(Deno.stat(dataDir), Deno.errors.NotFound);
  }));

Deno.test("change() writes a private file that another process reads the same", () =>
  withDataDir(async (dataDir) => {
    await openOwnerSessions(dataDir).change((draft) => {
      draft.fileKey = fileKey;
      draft.sessions.set("xai", "jwt-of-grok");
    });
    assert.deepEqual(await openOwnerSessions(dataDir).read(), {
      fileKey,
      sessions: new Map([["xai", "jwt-of-grok"]]),
    });
    const path = ownerSessionsPath(dataDir);
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(path)), {
      file_key: "07".repeat(32),
      sessions: { xai: "jwt-of-grok" },
    });
  }));

Deno.test("read() sees at once what another process has changed, also when the size stays the same", () =>
  withDataDir(async (dataDir) => {
    const relay = openOwnerSessions(dataDir);
    const commandLine = openOwnerSessions(dataDir);
    for (const jwt of ["first", "other", undefined, "again"]) {
      await commandLine.change(({ sessions }) => {
        if (jwt === undefined) sessions.delete("openai");
        else sessions.set("openai", jwt);
      });
      assert.equal((await relay.read()).sessions.get("openai"), jwt);
    }
  }));

Deno.test("change() loses nothing when many change at once", () =>
  withDataDir(async (dataDir) => {
    const ids: readonly ProviderId[] = ["openai", "xai", "github"];
    await Promise.all(ids.map((id) =>
      openOwnerSessions(dataDir).change((draft) => {
        draft.fileKey ??= fileKey;
        draft.sessions.set(id, `jwt-of-${id}`);
      })
    ));
    const { sessions } = await openOwnerSessions(dataDir).read();
    assert.deepEqual([...sessions.keys()], ids);
  }));

Deno.test("change() does not write a draft that says the same", () =>
  withDataDir(async (dataDir) => {
    const owner = openOwnerSessions(dataDir);
    await owner.change(({ sessions }) => sessions.set("openai", "jwt"));
    const { ino } = await Deno.stat(ownerSessionsPath(dataDir));
    await owner.change(({ sessions }) => sessions.set("openai", "jwt"));
    assert.equal((await Deno.stat(ownerSessionsPath(dataDir))).ino, ino);
  }));

Deno.test("change() leaves the file as it is when the edit throws", () =>
  withDataDir(async (dataDir) => {
    const owner = openOwnerSessions(dataDir);
    await owner.change(({ sessions }) => sessions.set("openai", "jwt"));
    await assert.rejects(owner.change(({ sessions }) => {
      sessions.clear();
      throw new Error("stop");
    }));
    assert.equal((await owner.read()).sessions.get("openai"), "jwt");
  }));

Deno.test("read() refuses a file that other users may read, and says how to close it", () =>
  withDataDir(async (dataDir) => {
    const owner = openOwnerSessions(dataDir);
    await owner.change(({ sessions }) => sessions.set("openai", "canary-jwt"));
    await Deno.chmod(ownerSessionsPath(dataDir), 0o640);
    await assert.rejects(owner.read(), /open to other users of this machine\. What helps: chmod 600 \/\S+$/);
  }));

for (
  const text of ["", "canary-jwt", "[]", "{}", '{"sessions":[]}', '{"sessions":{},"file_key":"canary-jwt"}']
) {
  Deno.test(`read() and change() refuse a file that says ${JSON.stringify(text)}, and do not repeat it`, () =>
    withDataDir(async (dataDir) => {
      await Deno.mkdir(dataDir);
      await Deno.writeTextFile(ownerSessionsPath(dataDir), text, { mode: 0o600 });
      const owner = openOwnerSessions(dataDir);
      for (const attempt of [() => owner.read(), () => owner.change(({ sessions }) => sessions.clear())]) {
        await assert.rejects(attempt, (error: Error) => {
          assert.match(error.message, /is damaged\. What helps: rm \/\S+, then authai-relay login$/);
          assert.ok(!error.message.includes("canary"));
          return true;
        });
      }
      assert.equal(await Deno.readTextFile(ownerSessionsPath(dataDir)), text);
    }));
}
