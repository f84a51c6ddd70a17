/**
 * The flags of settings, from the table in config.ts.
 *
 * @module
 */
import { type Setting, settings } from "../config.ts";
import { fallbackText } from "../config_text.ts";
import type { FlagSpec } from "./arguments.ts";

/** The flags of those settings whose flag is one of `names`, in the order of the table. */
export function settingFlags(names: readonly string[]): FlagSpec[] {
  const rows: readonly Setting<unknown>[] = Object.values(settings);
  return rows.flatMap((setting) => {
    const { flag, value, description } = setting;
    if (flag === undefined || !names.includes(flag)) return [];
    const fallback = fallbackText(setting);
    return [{
      name: flag,
      placeholder: value.placeholder,
      description: fallback === undefined ? description : `${description} [${fallback}]`,
    }];
  });
}
