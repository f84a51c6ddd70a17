/**
 * A second process on a test's files. Reads one command per line, a JSON list of its name and its arguments, and
 * answers each with one line of JSON. Started by {@linkcode startStoreProcess}.
 *
 * @module
 */
import { openKvSharedState } from "../../src/store/kv_shared_state.ts";
import { openSqliteRecordStore } from "../../src/store/sqlite_record_store.ts";
import { readLines } from "./lines.ts";

const farFutureMs = 4_000_000_000_000;
const iv = new Uint8Array(12);

const commands: Readonly<Record<string, (path: string, id: string, times: number) => Promise<unknown>>> = {
  async openRecords(path) {
    const store = await openSqliteRecordStore({ path });
    await store.ping();
    await store.close();
  },

  /** Leaves the store open, so that a kill finds it in use. */
  async insertRecord(path, id) {
    const store = await openSqliteRecordStore({ path });
    await store.insert({
      id,
      iv,
      blob: encode(0),
      accountIdHash: "account",
      createdAtMs: 1,
      updatedAtMs: 1,
      expiresAtMs: farFutureMs,
    });
  },

  /** Adds 1 to the number in a record, `times` times; how often another process was quicker. */
  async incrementRecord(path, id, times) {
    const store = await openSqliteRecordStore({ path });
    let conflicts = 0;
    for (let done = 0; done < times;) {
      const record = await store.get(id, 0);
      if (record === undefined) throw new Error("The record is gone.");
      const update = {
        iv,
        blob: encode(decode(record.blob) + 1),
        updatedAtMs: done,
        expiresAtMs: farFutureMs,
      };
      if (await store.update(id, record.version, update) === "updated") done++;
      else conflicts++;
    }
    await store.close();
    return conflicts;
  },

  async openShared(path) {
    const state = await openKvSharedState({ path });
    await state.ping();
    await state.close();
  },

  /** Leaves the state open, so that a kill finds it in use. */
  async createSession(path, key) {
    const state = await openKvSharedState({ path });
    await state.createPollSession(key, encode(0), farFutureMs, { maxOpen: 1_000, nowMs: 0 });
  },

  /** Adds 1 to the number in a session, `times` times; how often another process was quicker. */
  async incrementSession(path, key, times) {
    const state = await openKvSharedState({ path });
    let conflicts = 0;
    for (let done = 0; done < times;) {
      const session = await state.getPollSession(key, 0);
      if (session === undefined) throw new Error("The session is gone.");
      const version = await state.replacePollSession(
        key,
        session.version,
        encode(decode(session.sealed) + 1),
      );
      if (version === undefined) conflicts++;
      else done++;
    }
    await state.close();
    return conflicts;
  },

  /** Creates `times` sessions that all expire in one minute. */
  async createSessions(path, prefix, times) {
    const state = await openKvSharedState({ path });
    for (let index = 0; index < times; index++) {
      await state.createPollSession(`${prefix}-${index}`, encode(0), farFutureMs, {
        maxOpen: 1_000,
        nowMs: 0,
      });
    }
    await state.close();
  },
};

function encode(number: number): Uint8Array {
  return new TextEncoder().encode(String(number));
}

function decode(bytes: Uint8Array): number {
  return Number(new TextDecoder().decode(bytes));
}

if (import.meta.main) {
  const answer = (value: unknown) =>
    Deno.stdout.write(new TextEncoder().encode(JSON.stringify(value) + "\n"));
  await answer("ready");
  for await (const line of readLines(Deno.stdin.readable)) {
    const [name, path, id = "", times = 0]: [string, string, string?, number?] = JSON.parse(line);
    const command = commands[name];
    if (command === undefined) throw new Error(`There is no command ${name}.`);
    await answer(await command(path, id, times) ?? "done");
  }
}
