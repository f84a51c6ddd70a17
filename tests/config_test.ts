import assert from "node:assert/strict";
import { page, withReference } from "../docs/settings_reference.ts";
import { settings } from "../src/config.ts";
import { environmentNames } from "../src/config_layers.ts";
import { precedence, renderHelp } from "../src/config_text.ts";

Deno.test("settings have unique names, and no secret has a flag or a key in config.toml", () => {
  const rows = Object.values(settings);
  const keys = rows.flatMap(({ toml, flag }) => [toml, flag && `--${flag}`]).filter((name) =>
    name !== undefined
  );
  const names = [...environmentNames, ...keys];
  assert.equal(new Set(names).size, names.length);
  for (const { secret, env, flag, toml } of rows) {
    assert.equal(/SECRET|_TOKEN$/.test(env), secret === true, env);
    if (secret) assert.deepEqual([flag, toml], [undefined, undefined], env);
  }
});

Deno.test("docs/operations.md has the reference that the table makes", async () => {
  const text = await Deno.readTextFile(page);
  assert.ok(withReference(text) === text, "The settings changed: run `deno task docs`.");
});

Deno.test("renderHelp() names every setting within 110 columns", () => {
  const help = renderHelp();
  for (const { env, description } of Object.values(settings)) {
    assert.ok(new RegExp(`^  ${env}[ ,\n]`, "m").test(help), env);
    assert.ok(help.includes(description), description);
  }
  assert.deepEqual(help.split("\n").filter((line) => line.length > 110), []);
  assert.match(precedence, /^flag > environment > config\.toml > .* > default$/);
});
