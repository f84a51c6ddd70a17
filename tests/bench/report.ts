/**
 * What a benchmark prints: the machine it ran on, and tables of figures.
 *
 * @module
 */

/** The machine in one line. */
export async function machine(): Promise<string> {
  const cpuInfo = await Deno.readTextFile("/proc/cpuinfo");
  const model = /^model name\s*:\s*(.+)$/m.exec(cpuInfo)?.[1] ?? Deno.build.arch;
  const memoryGB = Deno.systemMemoryInfo().total / 1e9;
  const [load = 0] = Deno.loadavg();
  return `${navigator.hardwareConcurrency} cores (${model}), ${memoryGB.toFixed(0)} GB, ` +
    `load ${load.toFixed(1)}, Deno ${Deno.version.deno}\n`;
}

/** The middle value; of an even number of values the upper one of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

/** The first column to the left, figures to the right, what they mean to the left. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 || column === row.length - 1
        ? cell.padEnd(widths[column] ?? 0)
        : cell.padStart(widths[column] ?? 0)
    );
    print(cells.join("   ").trimEnd());
  }
}

/** Writes a line. */
export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
