/**
 * What the sandbox prints to be pasted into a terminal.
 *
 * @module
 */

/** Where the two servers are, and who approves. */
export interface PasteTargets {
  /** Origin of the relay. */
  readonly relay: string;
  /** Origin of the sandbox. */
  readonly sandbox: string;
  /** The simulated person who approves; null when the sandbox approves by itself. */
  readonly user: string | null;
}

/**
 * Lines for bash that sign in and stream a chat completion. They need only curl, sed and grep, and leave the session JWT in
 * `$jwt`. The loop ends with any status but `pending`, so that a failed sign-in does not poll for ever.
 */
export function pasteBlock({ relay, sandbox, user }: PasteTargets): string {
  const approve = user === null ? [] : [
    `curl -s ${sandbox}/_sandbox/approve -H 'content-type: application/json' \\`,
    `  -d "{\\"userCode\\":\\"$(echo "$start" | field userCode)\\",\\"user\\":\\"${user}\\"}" >/dev/null`,
  ];
  return [
    `field() { sed -n 's/.*"'"$1"'":"\\([^"]*\\)".*/\\1/p'; }`,
    `start=$(curl -s ${relay}/auth/start -H 'content-type: application/json' -d '{"provider":"openai"}')`,
    ...approve,
    `while poll=$(curl -s ${relay}/auth/poll/$(echo "$start" | field sessionId))`,
    `  echo "$poll" | grep -q '"pending"'; do sleep 1; done`,
    `jwt=$(echo "$poll" | field jwt)`,
    `curl -sN ${relay}/v1/chat/completions -H "authorization: Bearer $jwt" -H 'content-type: application/json' \\`,
    `  -d '{"model":"gpt-5.5","stream":true,"messages":[{"role":"user","content":"Say hello."}]}'`,
  ].join("\n");
}

/** A line for the shell that points a personal relay, on a port of its own, at the simulated providers. */
export function personalLine({ relay, sandbox }: Pick<PasteTargets, "relay" | "sandbox">): string {
  return `export AUTH_AI_PORT=${Number(new URL(relay).port) + 1} $(curl -s ${sandbox}/_sandbox/settings)`;
}

/** Lines of JavaScript that make the official SDK talk to the relay. */
export function sdkLines({ relay }: Pick<PasteTargets, "relay">): string {
  return [
    `import OpenAI from "openai";`,
    `const client = new OpenAI({ baseURL: "${relay}/v1", apiKey: jwt });`,
  ].join("\n");
}
