/**
 * What a call and an event cost the relay, in processor time, beside the least that a proxy on the same ground costs; and
 * what a stream costs it in memory. Exits with 1 when a limit is missed. Run it with `deno task bench:relay`; nothing else
 * should be busy on the machine.
 *
 * All ratios are to a bare proxy of Deno, Hono and `fetch`, in the same run, in turns: a busy moment of the machine hits
 * all. Rates and times are not compared, because they say more about the machine.
 *
 * @module
 */
import { type CallKind, type Contender, type Contenders, startContenders } from "./contenders.ts";
import { holdStreams, type LoadRequest, readStreams, sendCalls } from "./load.ts";
import { machine, median, print, printTable } from "./report.ts";

/** A row of the table: one load, and what it may cost. */
interface Row {
  readonly name: string;
  readonly kind: CallKind;
  /** The most of the bare proxy's processor time per unit. */
  readonly limitRatio: number;
  /** One round. Resolves to the units that the cost is divided by. */
  readonly load: (request: LoadRequest, signal: AbortSignal) => Promise<Units>;
  readonly stream: boolean;
  /** The script of the stub. */
  readonly model: string;
  /** Rounds that warm the caches and the compiler up, before those that count. */
  readonly warmUps: number;
  readonly unit: "call" | "event";
}

interface Units {
  readonly count: number;
  /** The delay that only one of a hundred events exceeds, milliseconds. */
  readonly delayMs?: number;
}

/** Measured rounds; odd, so that the median is one of them. */
const rounds = 5;

/** The most that the relay may add to the delay of an event, milliseconds, at the 99th percentile. */
const limitDelayMs = 5;

/** The most that a held stream may cost, KiB of resident memory. */
const limitStreamKiB = 120;

const heldStreams = 1000;

/** How long they are held until memory is read, milliseconds. */
const heldMs = 4000;

/** No run takes longer than this, milliseconds. */
const limitMs = 540_000;

const calls = 2000;
const pacedStreams = 100;
const eventsPerStream = 250;
const fastStreams = 16;
const fastEvents = 1500;

const paced = { stream: true, model: `20x${eventsPerStream}`, warmUps: 1, unit: "event" } as const;
const rows: readonly Row[] = [
  {
    ...{ name: "call without a stream, 32 connections", kind: "chat", limitRatio: 2.5 },
    ...{ stream: false, model: "grok-4.5", warmUps: 3, unit: "call" },
    load: async (request, signal) => {
      await sendCalls(request, { connections: 32, calls }, signal);
      return { count: calls };
    },
  },
  {
    name: "100 streams of 50 events/s, Chat to Chat",
    kind: "chat",
    limitRatio: 1.8,
    ...paced,
    load: pacedLoad,
  },
  {
    ...{ name: "100 streams of 50 events/s, Responses to Responses", kind: "responses", limitRatio: 1.8 },
    ...paced,
    load: pacedLoad,
  },
  {
    ...{ name: "100 streams of 50 events/s, Chat to Responses", kind: "translated", limitRatio: 2.0 },
    ...paced,
    load: pacedLoad,
  },
  {
    ...{ name: "16 streams at full speed, Chat to Responses", kind: "translated", limitRatio: 2.0 },
    ...{ stream: true, model: `0x${fastEvents}`, warmUps: 2, unit: "event" },
    load: async (request, signal) => {
      const seen = await readStreams(request, { streams: fastStreams }, signal);
      return { count: expectEvents(seen.delaysMs.length, fastStreams * fastEvents) };
    },
  },
];

async function pacedLoad(request: LoadRequest, signal: AbortSignal): Promise<Units> {
  const { delaysMs } = await readStreams(request, { streams: pacedStreams }, signal);
  const count = expectEvents(delaysMs.length, pacedStreams * eventsPerStream);
  return { count, delayMs: delaysMs[Math.floor(count * 0.99)] ?? NaN };
}

/** An event that is lost makes a stream cheap. */
function expectEvents(found: number, expected: number): number {
  if (found !== expected) throw new Error(`${found} events of ${expected} arrived.`);
  return found;
}

const stop = new AbortController();
const limit = setTimeout(() => stop.abort(new Error("The benchmark took too long.")), limitMs);
Deno.addSignalListener("SIGTERM", () => stop.abort(new Error("Stopped.")));
try {
  await using contenders = await startContenders();
  const missed = await measure(contenders, stop.signal);
  if (missed.length > 0) print(`\nMissed: ${missed.join("; ")}.`);
  Deno.exitCode = missed.length > 0 ? 1 : 0;
} finally {
  clearTimeout(limit);
}
// The signal listener would keep the process.
Deno.exit();

/** Measures and prints everything; returns the names of the limits that were missed. */
async function measure(contenders: Contenders, signal: AbortSignal): Promise<string[]> {
  print(await machine());
  const { relay, bare, peers, absent } = contenders;
  const missed: string[] = [];
  const verdict = (name: string, value: number, limit: number, unit: string) => {
    const kept = value <= limit;
    if (!kept) missed.push(name);
    return `${kept ? "kept" : "MISSED"}, limit ${limit}${unit}`;
  };
  const table = [["processor time", "relay", "bare", "ratio", ...peers.map(({ name }) => name), ""]];
  for (const row of rows) {
    const found = await measureRow(row, [relay, bare, ...peers], signal);
    const [ofRelay, ofBare] = [found.get(relay), found.get(bare)];
    if (ofRelay === undefined || ofBare === undefined) throw new Error(`${row.name} was not measured.`);
    const ratio = ofRelay.cpuUs / ofBare.cpuUs;
    table.push([
      row.name,
      `${ofRelay.cpuUs.toFixed(1)} us`,
      `${ofBare.cpuUs.toFixed(1)} us`,
      ratio.toFixed(2),
      ...peers.map((peer) => ratioText(found.get(peer)?.cpuUs, ofBare.cpuUs)),
      verdict(row.name, ratio, row.limitRatio, ""),
    ]);
    if (ofRelay.delayMs === undefined || ofBare.delayMs === undefined) continue;
    const added = ofRelay.delayMs - ofBare.delayMs;
    table.push([
      "  delay of 99 % of the events",
      `${ofRelay.delayMs.toFixed(1)} ms`,
      `${ofBare.delayMs.toFixed(1)} ms`,
      "",
      ...peers.map(() => ""),
      verdict(`${row.name}, delay`, added, limitDelayMs, " ms more than bare"),
    ]);
  }
  const memory = { relay: await memoryPerStream(relay, signal), bare: await memoryPerStream(bare, signal) };
  table.push([
    `${heldStreams} held streams, memory each`,
    `${memory.relay.toFixed(0)} KiB`,
    `${memory.bare.toFixed(0)} KiB`,
    (memory.relay / memory.bare).toFixed(2),
    ...peers.map(() => ""),
    verdict("memory of a held stream", memory.relay, limitStreamKiB, " KiB"),
  ]);
  printTable(table);
  print(
    "\nUnder the peers' names: their ratio to bare for the same Chat calls. They open no stored session.",
  );
  for (const { name, absent: reason } of absent) print(`${name} is left out: ${reason}.`);
  return missed;
}

interface Cost {
  /** Processor time per unit, microseconds, the median of the rounds. */
  readonly cpuUs: number;
  readonly delayMs: number | undefined;
}

/** Measures those that can answer the row's calls. */
async function measureRow(
  row: Row,
  contenders: readonly Contender[],
  signal: AbortSignal,
): Promise<ReadonlyMap<Contender, Cost>> {
  const measured = contenders.flatMap((contender) => {
    const request = contender.request(row.kind, row);
    return request === undefined
      ? []
      : [{ contender, request, cpuUs: [] as number[], delaysMs: [] as number[] }];
  });
  for (let round = 0; round < row.warmUps + rounds; round++) {
    for (const { contender, request, cpuUs, delaysMs } of measured) {
      const beforeMs = await contender.server.cpuTimeMs();
      const { count, delayMs } = await row.load(request, signal);
      const spentMs = await contender.server.cpuTimeMs() - beforeMs;
      if (round < row.warmUps) continue;
      cpuUs.push(spentMs * 1000 / count);
      if (delayMs !== undefined) delaysMs.push(delayMs);
    }
  }
  return new Map(measured.map(({ contender, cpuUs, delaysMs }) => [
    contender,
    { cpuUs: median(cpuUs), delayMs: delaysMs.length === 0 ? undefined : median(delaysMs) },
  ]));
}

/** Growth of resident memory per stream, KiB, while streams of one event a second are held open. */
async function memoryPerStream({ name, server, request }: Contender, signal: AbortSignal): Promise<number> {
  const held = request("translated", { stream: true, model: "1000x60" });
  if (held === undefined) throw new Error(`${name} cannot hold streams.`);
  const before = await server.settledMemoryBytes();
  await using _streams = await holdStreams(held, { streams: heldStreams }, signal);
  // Some events of each: buffers come with the first ones.
  await new Promise((resolve) => setTimeout(resolve, heldMs));
  return (await server.residentBytes() - before) / 1024 / heldStreams;
}

function ratioText(value: number | undefined, base: number): string {
  return value === undefined ? "-" : (value / base).toFixed(2);
}
