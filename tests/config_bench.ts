/**
 * Loads configurations from data directories made for one test.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadConfig, type LoadOutcome, type RelayConfig } from "../src/config_load.ts";

/** A secret that is accepted. */
export const jwtSecret = "01".repeat(31) + "ff";
/** Another one. */
export const identitySecret = "02".repeat(31) + "ff";

/** The settings without which nothing is complete, in the environment. */
export const required = Object.freeze({
  AUTH_AI_JWT_SECRET: jwtSecret,
  AUTH_AI_IDENTITY_SECRET: identitySecret,
  AUTH_AI_ORIGINATOR: "Test App",
});

/** What is given where; the environment is `required` when absent. */
export interface Given {
  readonly flags?: Record<string, string>;
  readonly env?: Record<string, string>;
  readonly toml?: string;
  readonly secrets?: string;
  readonly secretsMode?: number;
}

/** Loads from a fresh data directory; `dir` in the outcome's sentences is replaced by DATA. */
export async function load(given: Given): Promise<LoadOutcome> {
  const dir = await Deno.makeTempDir();
  try {
    if (given.toml !== undefined) await Deno.writeTextFile(join(dir, "config.toml"), given.toml);
    if (given.secrets !== undefined) {
      const mode = given.secretsMode ?? 0o600;
      await Deno.writeTextFile(join(dir, "secrets.toml"), given.secrets, { mode });
      await Deno.chmod(join(dir, "secrets.toml"), mode);
    }
    const outcome = await loadConfig({
      flags: given.flags ?? {},
      environment: { ...(given.env ?? required), AUTH_AI_DATA_DIR: dir },
      files: "read",
    });
    if (outcome.kind !== "invalid") return outcome;
    return { ...outcome, problems: outcome.problems.map((problem) => problem.replaceAll(dir, "DATA")) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** The configuration; fails when there is none. */
export async function config(given: Given): Promise<RelayConfig> {
  const outcome = await load(given);
  assert.equal(outcome.kind, "config", JSON.stringify(outcome));
  if (outcome.kind !== "config") throw new Error("unreachable");
  return outcome.config;
}

/** The problems; fails when there are none. */
export async function problems(given: Given): Promise<readonly string[]> {
  const outcome = await load(given);
  assert.equal(outcome.kind, "invalid", JSON.stringify(outcome));
  return outcome.kind === "invalid" ? outcome.problems : [];
}
