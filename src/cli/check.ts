/**
 * What `doctor` finds out, one thing at a time.
 *
 * @module
 */

/** How a check ended: `warn` keeps nothing from working, `skip` was not needed or not possible. */
export type CheckStatus = "pass" | "warn" | "fail" | "skip";

/** One finding. */
export interface Check {
  /** For programs, e.g. `openai_models`. Stays the same from version to version. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly status: CheckStatus;
  /** A sentence, or several. No secret. */
  readonly message: string;
  /** What helps: commands, or a sentence where none does. */
  readonly nextSteps: readonly string[];
}

/** Makes the checks of one name. */
export function checkOf(name: string, title: string): {
  readonly pass: (message: string) => Check;
  readonly warn: (message: string, ...nextSteps: string[]) => Check;
  readonly fail: (message: string, ...nextSteps: string[]) => Check;
  readonly skip: (message: string, ...nextSteps: string[]) => Check;
} {
  const ended = (status: CheckStatus) => (message: string, ...nextSteps: string[]): Check => ({
    name,
    title,
    status,
    message,
    nextSteps,
  });
  return { pass: ended("pass"), warn: ended("warn"), fail: ended("fail"), skip: ended("skip") };
}

/** All findings as one JSON value, in the form of the older personal relay. */
export function checksReport(checks: readonly Check[]): Record<string, unknown> {
  const count = (status: CheckStatus) => checks.filter((check) => check.status === status).length;
  return {
    ok: count("fail") === 0,
    summary: {
      passed: count("pass"),
      warnings: count("warn"),
      failed: count("fail"),
      skipped: count("skip"),
    },
    checks: checks.map(({ name, status, message, nextSteps }) => ({
      name,
      status,
      message,
      next_steps: nextSteps,
    })),
    next_steps: stepsOf(checks),
  };
}

/** What helps, worst first and each step once. */
export function stepsOf(checks: readonly Check[]): string[] {
  const order: readonly CheckStatus[] = ["fail", "warn", "skip", "pass"];
  return [
    ...new Set(
      order.flatMap((status) => checks.filter((check) => check.status === status))
        .flatMap(({ nextSteps }) => nextSteps),
    ),
  ];
}
