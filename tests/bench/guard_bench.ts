/**
 * What a pass through the guard costs in processor time, with its share of the work on Deno KV that goes on beside it. Exits with
 * 1 when the limit is missed. Run it with `deno task bench:guard`; nothing else should be busy on the machine.
 *
 * The same loop runs with the guard and without it, in turns, at a steady pace; the processor time is that of all threads of
 * the process.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { createLimiter } from "../../src/guard/limiter.ts";
import {
  defaultLimitSettings,
  type Limiter,
  type LimitSettings,
  type LimitSubject,
} from "../../src/guard/limits.ts";
import { openKvSharedState } from "../../src/store/kv_shared_state.ts";
import { machine, median, print, printTable } from "./report.ts";

/** A row of the table: who asks, and in which company. */
interface Row {
  readonly name: string;
  readonly clients: number;
  readonly kind: LimitSubject["kind"];
  /** Another instance shares the limits. */
  readonly inCompany: boolean;
  /** The answers are 429s. */
  readonly isRefused: boolean;
}

const rows: readonly Row[] = [
  { name: "one address", clients: 1, kind: "address", inCompany: false, isRefused: false },
  { name: "1000 addresses", clients: 1000, kind: "address", inCompany: false, isRefused: false },
  { name: "1000 sessions", clients: 1000, kind: "session", inCompany: false, isRefused: false },
  {
    name: "1000 addresses, two instances",
    clients: 1000,
    kind: "address",
    inCompany: true,
    isRefused: false,
  },
  {
    name: "one address, two instances, refused",
    clients: 1,
    kind: "address",
    inCompany: true,
    isRefused: true,
  },
];

/** The most that a pass may cost, microseconds. */
const limitUs = 15;

/** Measured rounds of each; odd, so that the median is one of them. One before them is not counted. */
const rounds = 5;
const roundMs = 1_500;

/** 2000 requests a second: under half of what one core of the whole relay can do. */
const tickMs = 10;
const requestsPerTick = 20;

/** Passes that warm the compiler up before a round is measured: a relay runs for longer than a round. */
const warmUps = 20_000;

/**
 * Of a thousand clients, each makes two requests a second. With these limits they always have some twenty spent, which has to
 * be written down, and nobody is refused.
 */
const manyClients = { ratePerMinute: 240, rateBurst: 100 };

/** Wide enough that a single client is not refused. */
const wide: LimitSettings = {
  ...defaultLimitSettings,
  ratePerMinute: 6_000_000,
  rateBurst: 1_000_000,
  concurrentRequests: 1_000,
  trustForwardedFor: true,
  trustedProxyHops: 2,
  exemptAddresses: ["10.0.0.0/8", "2001:db8:ffff::/48"],
};

const dataDir = await Deno.makeTempDir({ prefix: "guard-bench-" });
try {
  const missed = await measure();
  if (missed.length > 0) print(`\nMissed: ${missed.join("; ")}.`);
  Deno.exitCode = missed.length > 0 ? 1 : 0;
} finally {
  await Deno.remove(dataDir, { recursive: true });
}

/** Measures and prints everything; returns the names of the rows that missed the limit. */
async function measure(): Promise<string[]> {
  print(await machine());
  const missed: string[] = [];
  const table = [["processor time per request", "guard", "none", "more", ""]];
  for (const row of rows) {
    const withGuard: number[] = [];
    const without: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const costUs = { guard: await measureRound(row, true), none: await measureRound(row, false) };
      if (round === 0) continue;
      withGuard.push(costUs.guard);
      without.push(costUs.none);
    }
    const moreUs = median(withGuard) - median(without);
    if (moreUs > limitUs) missed.push(row.name);
    table.push([
      row.name,
      `${median(withGuard).toFixed(1)} us`,
      `${median(without).toFixed(1)} us`,
      `${moreUs.toFixed(1)} us`,
      `${moreUs > limitUs ? "MISSED" : "kept"}, limit ${limitUs} us more`,
    ]);
  }
  printTable(table);
  return missed;
}

/** Processor time per request of one round, microseconds. */
async function measureRound(row: Row, isGuarded: boolean): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const settings = {
    ...wide,
    ...(row.isRefused ? { ratePerMinute: 60, rateBurst: 1 } : row.clients > 1 ? manyClients : {}),
  };
  // A file for each round: what clients have spent would live on in the next one.
  const path = await Deno.makeTempFile({ dir: dataDir, suffix: ".kv" });
  if (row.inCompany) await startLimiter(stack, path, settings);
  const limiter = isGuarded ? await startLimiter(stack, path, settings) : undefined;
  const clients = Array.from({ length: row.clients }, (_, index) => ({
    // The left entry is what a client may invent.
    headers: new Headers({ "x-forwarded-for": `203.0.113.7, 192.0.${index >> 8}.${index & 255}, 10.1.2.3` }),
    recordId: `01JD0000000000000000${String(index).padStart(6, "0")}`,
  }));
  let count = 0;
  const pass = (): void => {
    const client = clients[count++ % clients.length];
    if (client !== undefined && limiter !== undefined) passGuard(limiter, row, client);
  };
  while (count < warmUps) pass();
  count = 0;
  const before = cpuUsage();
  for (let tick = 0; tick < roundMs / tickMs; tick++) {
    const pause = new Promise((resolve) => setTimeout(resolve, tickMs));
    for (let sent = 0; sent < requestsPerTick; sent++) pass();
    await pause;
  }
  const { user, system } = cpuUsage(before);
  return (user + system) / count;
}

/** All that a streamed request asks of the guard. */
function passGuard(
  limiter: Limiter,
  { kind, isRefused }: Row,
  { headers, recordId }: { readonly headers: Headers; readonly recordId: string },
): void {
  const address = limiter.addressOf(headers, "10.1.2.3");
  const entered = limiter.enter(kind === "session" ? { kind, recordId } : { kind, address });
  if (entered.kind === "refused") {
    if (!isRefused) throw new Error(`A request was refused: ${entered.code}.`);
    return;
  }
  const release = entered.hold();
  entered.leave();
  release();
}

async function startLimiter(
  stack: AsyncDisposableStack,
  path: string,
  settings: LimitSettings,
): Promise<Limiter> {
  const shared = await openKvSharedState({ path });
  stack.defer(() => shared.close());
  const limiter = createLimiter({
    settings,
    shared,
    onError: (error) => {
      throw error;
    },
  });
  stack.defer(() => limiter.close());
  await limiter.ready;
  return limiter;
}
