/**
 * The file routes over a real SQLite file and real sockets, for callers that only their bearer tells apart.
 */
import { Hono } from "hono";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import OpenAI from "openai";
import { addFileRoutes } from "../../src/app/file_routes.ts";
import type { CallerEnv } from "../../src/app/relay_env.ts";
import type { FileOwner } from "../../src/files/file_owner.ts";
import { createFileVault, type FileVault, type UploadLimits } from "../../src/files/file_vault.ts";
import type { FileStore } from "../../src/store/file_store.ts";
import { openSqliteFileStore } from "../../src/store/sqlite_file_store.ts";

/** What starts a rig. */
export interface FileRigOptions {
  readonly uploads?: Partial<UploadLimits>;
  /** Replaces the timer of bodies. */
  readonly after?: (delayMs: number, run: () => void) => () => void;
}

/** A running rig. Stop it with `await using`. */
export interface FileRig extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly store: FileStore;
  readonly vault: FileVault;
  /** Milliseconds since the epoch; the test turns it. */
  readonly clock: { nowMs: number };
  /** Whose files a bearer sees: `ada-phone` and `ada-laptop` are two sessions of one account. */
  owner(bearer: string): FileOwner;
  /** The official SDK. */
  openAi(bearer: string): OpenAI;
  /** Places that answers in progress hold. */
  held(): number;
  /** Resolves when no request is being handled, once one was. */
  idle(): Promise<void>;
  /** Rows and bytes that are in the database at all, whether somebody could see them or not. */
  stored(): { readonly files: number; readonly chunks: number };
  /** The text of the database file and of its log, one character per byte. */
  raw(): Promise<string>;
}

/** Starts the rig. */
export async function startFileRig({ uploads, after }: FileRigOptions = {}): Promise<FileRig> {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "relay.db");
  const store = await openSqliteFileStore({ path });
  const clock = { nowMs: Date.UTC(2026, 10, 22) };
  const limits = { maxUploadBytes: 1_000_000, maxTotalUploadBytes: 3_000_000, ...uploads };
  const vault = createFileVault({ files: store, limits, now: () => clock.nowMs });
  const owner = (bearer: string): FileOwner => ({
    ownerId: bearer,
    quotaId: bearer.split("-")[0] ?? "",
    key: new Uint8Array(32).fill(bearer.length),
  });
  let idle = Promise.withResolvers<void>();
  let handling = 0;
  let held = 0;
  const routes = new Hono<CallerEnv>();
  routes.use(async (_context, next) => {
    if (handling++ === 0) idle = Promise.withResolvers();
    await next();
    if (--handling === 0) idle.resolve();
  });
  routes.use(async (context, next) => {
    const bearer = context.req.header("authorization")?.slice("Bearer ".length) ?? "nobody";
    context.set("caller", {
      kind: "session",
      files: owner(bearer),
      sessions: () => Promise.resolve([]),
      sessionFor: () => Promise.resolve({ kind: "not_offered" }),
    });
    context.set("hold", () => {
      held += 1;
      return () => held -= 1;
    });
    await next();
  });
  const realAfter = (delayMs: number, run: () => void) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  };
  addFileRoutes(routes, {
    vault,
    uploads: limits,
    bodyLimits: { maxBytes: 1, timeoutMs: 30_000, after: after ?? realAfter },
  });
  const app = new Hono().route("/v1", routes);
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => app.fetch(request),
  );
  const { port } = server.addr;
  const origin = `http://127.0.0.1:${port}`;
  const reader = new DatabaseSync(path, { readOnly: true });
  return {
    origin,
    port,
    store,
    vault,
    clock,
    owner,
    openAi: (bearer) => new OpenAI({ baseURL: `${origin}/v1`, apiKey: bearer, maxRetries: 0 }),
    held: () => held,
    idle: () => idle.promise,
    stored() {
      const count = (table: string) =>
        Number(reader.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
      return { files: count("file"), chunks: count("file_chunk") };
    },
    async raw() {
      const files = [path, `${path}-wal`].map((file) => Deno.readFile(file));
      return (await Promise.all(files)).map((bytes) => new TextDecoder("latin1").decode(bytes)).join("");
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      reader.close();
      await store.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
