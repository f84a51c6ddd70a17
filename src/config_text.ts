/**
 * The table of settings as people read it: in `--help`, and in the reference of the documentation.
 *
 * @module
 */
import { airelaysNames, airelaysUnsupported } from "./config_airelays.ts";
import { settings } from "./config.ts";
import type { Setting } from "./config_setting.ts";

/** Where a value comes from when it is given more than once, best first. */
export const precedence = "flag > environment > config.toml > secrets made by init > default";

/**
 * The settings as aligned text of at most 110 columns, a block for each group: names in the environment, in config.toml and on
 * the command line, and below them what it is and the default. Ends without a line break.
 */
export function renderHelp(): string {
  const envWidth = Math.max(...rows.map(({ env }) => env.length)) + 2;
  const tomlWidth = Math.max(...rows.map(({ toml = "" }) => toml.length)) + 2;
  return groups().map(([group, members]) => {
    const lines = members.map((setting) => {
      const { env, toml = "", flag, description } = setting;
      const names = [env.padEnd(envWidth), toml.padEnd(tomlWidth), ...optional(flag, (name) => `--${name}`)];
      const [fallback] = optional(fallbackText(setting), (text) => `[${text}]`);
      const oneLine = [`      ${description}`, ...optional(fallback)].join(" ");
      const meaning = oneLine.length <= maxColumns ? oneLine : `      ${description}\n      ${fallback}`;
      return `  ${names.join("").trimEnd()}\n${meaning}`;
    });
    return [group, ...lines].join("\n");
  }).join("\n\n");
}

/** The settings as Markdown tables, one for each group, and the names of AIRelays. Ends with a line break. */
export function renderReference(): string {
  return `${renderSettings()}\n${renderOlderNames()}`;
}

function renderSettings(): string {
  return groups().map(([group, members]) => {
    const lines = members.map((setting) => {
      const { env, envAliases = [], toml, flag, flagText, generated, description, value } = setting;
      const asFlag = (name: string) =>
        flagText === undefined ? `--${name} ${value.placeholder}` : `--${name}`;
      const cells = [
        codes([env, ...envAliases, ...optional(flag, asFlag)]),
        codes([...optional(toml), ...optional(generated, (key) => `secrets.toml: ${key}`)]),
        codes(optional(fallbackText(setting))),
        `${description} It ${value.rule}.`,
      ];
      return `| ${cells.join(" | ")} |`;
    });
    return [`### ${group}\n`, ...tableHead, ...lines, ""].join("\n");
  }).join("\n");
}

function renderOlderNames(): string {
  const effects = airelaysNames.map(({ setting, env, toml }) => {
    return [codes(env), codes(optional(toml)), codes([setting])];
  });
  const reasons = Map.groupBy(airelaysUnsupported, ({ reason }) => reason).entries().map(
    ([reason, names]) => {
      const of = (name: "env" | "toml") => codes(names.flatMap((entry) => optional(entry[name])));
      return [of("env"), of("toml"), `No effect: ${reason}.`];
    },
  );
  return [
    "### Names of AIRelays\n",
    "| Environment, best first | File | Here |",
    "| --- | --- | --- |",
    ...[...effects, ...reasons].map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}

const rows: readonly Setting<unknown>[] = Object.freeze(Object.values(settings));

const maxColumns = 110;

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
