/**
 * Signs in at a relay from the command line and prints the session JWT.
 *
 *     deno run --allow-net docs/examples/sign_in.ts http://127.0.0.1:3000 openai
 */
// deno-lint-ignore-file no-console -- this program's output is for a person

const [relay = "http://127.0.0.1:3000", provider = "openai"] = Deno.args;

const start = await fetch(`${relay}/auth/start`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ provider }),
});
const started = await start.json();
if (!start.ok) throw new Error(started.error);

console.error(`Open ${started.verificationUrl} and enter ${started.userCode}`);

for (;;) {
  await new Promise((resolve) => setTimeout(resolve, started.pollIntervalMs));
  const poll = await (await fetch(`${relay}/auth/poll/${started.sessionId}`)).json();
  if (poll.status === "pending") continue;
  if (poll.status !== "complete") throw new Error(poll.error ?? "The sign-in has expired. Start again.");
  console.log(poll.jwt);
  break;
}
