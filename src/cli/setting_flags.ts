/**
 * The flags of settings, from the table in config.ts.
 *
 * @module
 */
import { settings } from "../config.ts";
import type { Setting } from "../config_setting.ts";
import { fallbackText } from "../config_text.ts";
import type { FlagSpec } from "./arguments.ts";

/** The flags of those settings whose flag is one of `names`, in the order of the table. */
export function settingFlags(names: readonly string[]): FlagSpec[] {
  const rows: readonly Setting<unknown>[] = Object.values(settings);
  return rows.flatMap((setting) => {
    const { flag, flagText, value, flagDescription, description } = setting;
    if (flag === undefined || !names.includes(flag)) return [];
    if (flagText !== undefined) return [{ name: flag, description: flagDescription ?? description }];
    const fallback = fallbackText(setting);
    return [{
      name: flag,
      placeholder: value.placeholder,
      description: fallback === undefined ? description : `${description} [${fallback}]`,
    }];
  });
}
