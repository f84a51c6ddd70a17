/**
 * The table of settings as people read it: in `--help`, and in the reference of the documentation.
 *
 * @module
 */
import { type Setting, settings } from "./config.ts";

/** Where a value comes from when it is given more than once, best first. */
export const precedence = "flag > environment > config.toml > secrets made by init > default";

/**
 * The settings as aligned text of at most 110 columns, a block for each group: names, key in config.toml, default, and
 * below them what it is. Ends without a line break.
 */
export function renderHelp(): string {
  const firstColumn = ({ env, flag }: Setting<unknown>) => env + (flag === undefined ? "" : `, --${flag}`);
  const firstWidth = Math.max(...rows.map((setting) => firstColumn(setting).length)) + 2;
  const tomlWidth = Math.max(...rows.map(({ toml = "" }) => toml.length)) + 2;
  return groups().map(([group, members]) => {
    const lines = members.map((setting) => {
      const { toml = "", description } = setting;
      const columns = [
        firstColumn(setting).padEnd(firstWidth),
        toml.padEnd(tomlWidth),
        fallbackText(setting) ?? "",
      ];
      return `  ${columns.join("").trimEnd()}\n      ${description}`;
    });
    return [group, ...lines].join("\n");
  }).join("\n\n");
}

/** The settings as Markdown tables, one for each group. Ends with a line break. */
export function renderReference(): string {
  return groups().map(([group, members]) => {
    const lines = members.map((setting) => {
      const { env, envAliases = [], toml, flag, generated, description, value } = setting;
      const cells = [
        codes([env, ...envAliases, ...optional(flag, (name) => `--${name} ${value.placeholder}`)]),
        codes([...optional(toml), ...optional(generated, (key) => `secrets.toml: ${key}`)]),
        codes(optional(fallbackText(setting))),
        `${description} It ${value.rule}.`,
      ];
      return `| ${cells.join(" | ")} |`;
    });
    return [`### ${group}\n`, ...tableHead, ...lines, ""].join("\n");
  }).join("\n");
}

const rows: readonly Setting<unknown>[] = Object.freeze(Object.values(settings));

const tableHead = Object.freeze([
  "| Environment, flag | File | Default | Meaning and rule |",
  "| --- | --- | --- | --- |",
]);

/** The groups in the order in which the table first names them. */
function groups(): [string, Setting<unknown>[]][] {
  return [...Map.groupBy(rows, ({ group }) => group)];
}

/** The default as it would be written in the environment; undefined when there is none. */
export function fallbackText({ fallback }: Setting<unknown>): string | undefined {
  const text = Array.isArray(fallback) ? fallback.join(",") : String(fallback ?? "");
  return text === "" ? undefined : text;
}

function optional(text: string | undefined, render: (text: string) => string = (same) => same): string[] {
  return text === undefined ? [] : [render(text)];
}

function codes(texts: readonly string[]): string {
  return texts.map((text) => `\`${text}\``).join("<br>");
}
