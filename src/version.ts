/**
 * The version of this package, from its one place.
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };

/** The version as in `deno.json`, e.g. `1.2.3`. */
export const version: string = manifest.version;
