/**
 * What one row of the table of settings is.
 *
 * @module
 */
import type { SettingNames } from "./config_source.ts";
import type { ValueKind } from "./config_value.ts";

/** One row of the table. `T` is what the parsed value is. */
export interface Setting<T> extends SettingNames {
  readonly group:
    | "Server"
    | "Streams"
    | "Sign-in"
    | "Relay token"
    | "Limits"
    | "Uploads"
    | "Traffic log"
    | "Storage"
    | "ChatGPT"
    | "Grok"
    | "GitHub Copilot";
  readonly value: ValueKind<T>;
  /** True when whoever knows the value can do harm: the value is then never shown, and there is no flag for it. */
  readonly secret?: true;
  /** The value when no source gives one. */
  readonly fallback: T;
  /** One sentence for the help and the reference. */
  readonly description: string;
  /** What the help of a command says of the flag, where that is something else. */
  readonly flagDescription?: string;
}

/** One row, frozen. */
export function row<T>(setting: Setting<T>): Setting<T> {
  return Object.freeze(setting);
}
