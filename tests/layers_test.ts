/**
 * The layers of the code, proved by its imports: each part may import what is named here and nothing else, so that a provider
 * never sees a client's dialect and a store never sees a plaintext.
 */
import assert from "node:assert/strict";
import { join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** What each folder of src may import, beside itself, packages, `node:` and types that cost nothing. */
const mayImport: Readonly<Record<string, readonly string[]>> = Object.freeze({
  wire: [],
  crypto: [],
  store: [],
  provider: ["crypto", "wire"],
  translate: ["wire"],
  traffic: ["wire"],
  files: ["crypto", "store", "wire"],
  guard: ["store", "wire"],
  credential: ["crypto", "provider", "store", "traffic", "wire"],
  page: ["wire"],
  app: [
    "credential",
    "crypto",
    "files",
    "guard",
    "page",
    "provider",
    "store",
    "traffic",
    "translate",
    "wire",
  ],
  // A simulated upstream with our codecs would repeat our mistakes.
  sandbox: [],
});

/** Of another layer only this: it is its interface, and what implements it stays unknown. */
const onlyInterface: readonly { readonly from: string; readonly to: string; readonly file: RegExp }[] = [
  { from: "credential", to: "provider", file: /^provider\/provider\.ts$/ },
  { from: "credential", to: "traffic", file: /^traffic\/observe\.ts$/ },
];

interface Import {
  /** Below src, with slashes. */
  readonly from: string;
  readonly to: string;
}

async function* sourceFiles(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* sourceFiles(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** Statements of both forms, and `import()`. Bundled text has its quotes escaped, or stands in one line with other code. */
const specifier = /^(?:import|export)\b[^;"]*?"(\.[^"\n]+)"|\bimport\("(\.[^"\n]+)"\)/gm;

async function readImports(): Promise<readonly Import[]> {
  const imports: Import[] = [];
  for await (const path of sourceFiles(src)) {
    if (path === join(src, "page", "assets.ts")) continue;
    for (const [, statement, call] of (await Deno.readTextFile(path)).matchAll(specifier)) {
      const target = normalize(join(path, "..", statement ?? call ?? ""));
      imports.push({ from: below(path), to: below(target) });
    }
  }
  return imports;
}

function below(path: string): string {
  return relative(src, path).replaceAll("\\", "/");
}

/** The folder; undefined for the files of src itself. */
function layerOf(path: string): string | undefined {
  return path.includes("/") ? path.split("/", 1)[0] : undefined;
}

Deno.test("imports go one way, between the layers of the design", async () => {
  const imports = await readImports();
  assert.ok(imports.length > 500, "the test reads the code");
  const wrong = imports.filter(({ from, to }) => {
    const layer = layerOf(from);
    const target = layerOf(to);
    const allowed = layer === undefined ? undefined : mayImport[layer];
    if (allowed === undefined || layer === target) return false;
    // The version is the one fact that belongs to no layer.
    if (to === "version.ts") return layer !== "app";
    return target === undefined || !allowed.includes(target);
  });
  assert.deepEqual(wrong, []);
});

Deno.test("credential knows of providers and of the log only their interfaces", async () => {
  const imports = await readImports();
  for (const { from, to, file } of onlyInterface) {
    const seen = imports.filter((each) => layerOf(each.from) === from && layerOf(each.to) === to);
    assert.ok(seen.length > 0);
    assert.deepEqual(seen.filter((each) => !file.test(each.to)), []);
  }
});

Deno.test("every folder of src has its place among the layers", async () => {
  const folders: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(src)) if (isDirectory) folders.push(name);
  assert.deepEqual(folders.sort(), [...Object.keys(mayImport), "cli"].sort());
});

Deno.test("nothing below the command line imports it, or the settings", async () => {
  const imports = await readImports();
  const wrong = imports.filter(({ from, to }) =>
    (layerOf(to) === "cli" && layerOf(from) !== "cli" && from !== "main.ts") ||
    (/^config/.test(to) && layerOf(from) !== undefined && layerOf(from) !== "cli")
  );
  assert.deepEqual(wrong, []);
});

Deno.test("no two files import each other, over whatever way", async () => {
  const targets = new Map<string, string[]>();
  for (const { from, to } of await readImports()) targets.set(from, [...targets.get(from) ?? [], to]);
  const done = new Set<string>();
  const way: string[] = [];
  function visit(file: string): void {
    assert.ok(!way.includes(file), `A cycle: ${[...way.slice(way.indexOf(file)), file].join(" -> ")}`);
    if (done.has(file)) return;
    way.push(file);
    for (const target of targets.get(file) ?? []) visit(target);
    way.pop();
    done.add(file);
  }
  for (const file of targets.keys()) visit(file);
});
