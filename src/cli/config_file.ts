/**
 * Changes one value of `config.toml` and leaves everything else as its owner wrote it, comments included.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { parse as parseToml } from "smol-toml";
import { lockPrivateFile, replacePrivateFile } from "../store/replace_private_file.ts";
import { isObject } from "../wire/json.ts";

/**
 * Makes `section.key` of the file at `path` say `value`; makes the file when there is none. Resolves to whether it changed.
 * It changes as a whole, and what else it says stays: a crash leaves the old or the new file.
 *
 * Rejects with a sentence when the file says it in a form that cannot be changed line by line, and with the error of the file
 * system.
 */
export async function setInConfigFile(
  path: string,
  { section, key }: { readonly section: string; readonly key: string },
  value: boolean,
): Promise<boolean> {
  using _lock = await lockPrivateFile(`${path}.lock`);
  const before = await readText(path);
  const wanted = parseToml(before);
  const table = wanted[section] ??= parseToml("");
  if (!isObject(table)) throw new Error(`${section} in ${path} must be a table.`);
  if (table[key] === value) return false;
  table[key] = value;
  const after = withValue(before, section, key, value);
  if (!isDeepStrictEqual(read(after), wanted)) {
    throw new Error(
      `${path} cannot be changed line by line. Write ${section}.${key} = ${value} into it yourself.`,
    );
  }
  await replacePrivateFile(path, after);
  return true;
}

function withValue(text: string, section: string, key: string, value: boolean): string {
  const lines = text.split("\n");
  const header = lines.findIndex((line) => new RegExp(`^\\s*\\[\\s*${section}\\s*\\]\\s*(#.*)?$`).test(line));
  if (header === -1) {
    const gap = text === "" ? "" : text.endsWith("\n") ? "\n" : "\n\n";
    return `${text}${gap}[${section}]\n${key} = ${value}\n`;
  }
  const next = lines.findIndex((line, at) => at > header && /^\s*\[/.test(line));
  const end = next === -1 ? lines.length : next;
  const pattern = new RegExp(`^(\\s*${key}\\s*=\\s*)(true|false)`);
  const at = lines.findIndex((line, index) => index > header && index < end && pattern.test(line));
  if (at === -1) return lines.toSpliced(header + 1, 0, `${key} = ${value}`).join("\n");
  return lines.with(at, (lines[at] ?? "").replace(pattern, `$1${value}`)).join("\n");
}

/** Undefined when the change has broken the file. */
function read(text: string): unknown {
  try {
    return parseToml(text);
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
