import assert from "node:assert/strict";
import { join } from "node:path";
import { setInConfigFile } from "../../src/cli/config_file.ts";

const name = Object.freeze({ section: "security", key: "require_bearer_auth" });

/** The file after the change; `before` undefined: there is none. */
async function change(before: string | undefined): Promise<{ text: string; changed: boolean; mode: number }> {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "config.toml");
    if (before !== undefined) await Deno.writeTextFile(path, before);
    const changed = await setInConfigFile(path, name, false);
    const mode = ((await Deno.stat(path)).mode ?? 0) & 0o777;
    return { text: await Deno.readTextFile(path), changed, mode };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const cases: readonly (readonly [string, string | undefined, string])[] = [
  ["no file", undefined, "[security]\nrequire_bearer_auth = false\n"],
  ["an empty file", "", "[security]\nrequire_bearer_auth = false\n"],
  [
    "no such section",
    "# mine\nport = 1",
    "# mine\nport = 1\n\n[security]\nrequire_bearer_auth = false\n",
  ],
  [
    "a section without the key",
    "[security] # guard\nrate_limit_burst = 4\n[server]\nrequire_bearer_auth = true\n",
    "[security] # guard\nrequire_bearer_auth = false\nrate_limit_burst = 4\n[server]\nrequire_bearer_auth = true\n",
  ],
  [
    "another value",
    "[server]\n[security]\n  require_bearer_auth  =  true   # why\nrate_limit_burst = 4\n",
    "[server]\n[security]\n  require_bearer_auth  =  false   # why\nrate_limit_burst = 4\n",
  ],
];

for (const [what, before, after] of cases) {
  Deno.test(`setInConfigFile() changes one line and nothing else with ${what}`, async () => {
    const { text, changed, mode } = await change(before);
    assert.equal(text, after);
    assert.deepEqual([changed, mode], [true, 0o600]);
  });
}

Deno.test("setInConfigFile() leaves a file alone that says it already, in whatever form", async () => {
  for (
    const before of ["security.require_bearer_auth = false\n", "security = { require_bearer_auth = false }"]
  ) {
    const { text, changed } = await change(before);
    assert.deepEqual([text, changed], [before, false]);
  }
});

Deno.test("setInConfigFile() refuses a form that it cannot change, and changes nothing", async () => {
  const forms = [
    "security.require_bearer_auth = true\n",
    "security = { require_bearer_auth = true }\n",
    'note = """\n[security]\n"""\n',
  ];
  for (const before of forms) {
    const dir = await Deno.makeTempDir();
    const path = join(dir, "config.toml");
    await Deno.writeTextFile(path, before);
    await assert.rejects(setInConfigFile(path, name, false), /Write security\.require_bearer_auth = false/);
    assert.equal(await Deno.readTextFile(path), before);
    await Deno.remove(dir, { recursive: true });
  }
});
