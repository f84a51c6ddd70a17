import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startRig } from "./rig.ts";

async function runExample(
  name: string,
  permissions: readonly string[],
  args: readonly string[],
): Promise<string> {
  const path = fileURLToPath(new URL(`../../docs/examples/${name}`, import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-prompt", ...permissions, path, ...args],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("the examples of the documentation sign in and stream an answer", async () => {
  await using rig = await startRig({
    realTime: true,
    sandbox: { autoApprove: "ada", pollIntervalSeconds: 1 },
  });
  const jwt = (await runExample("sign_in.ts", ["--allow-net"], [rig.origin, "xai"])).trim();
  assert.match(jwt, /^[^.]+\.[^.]+\.[^.]+$/);
  const answer = await runExample("chat.ts", ["--allow-net", "--allow-env"], [rig.origin, jwt, "Count to 4"]);
  assert.equal(answer, "1 2 3 4\n");
});
