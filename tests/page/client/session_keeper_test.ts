import assert from "node:assert/strict";
import { createSessionKeeper, sessionKey } from "../../../src/page/client/session_keeper.ts";

Deno.test("createSessionKeeper() keeps the JWT in the storage until it is told to forget", () => {
  sessionStorage.clear();
  const keeper = createSessionKeeper(() => sessionStorage);
  assert.equal(keeper.read(), undefined);
  keeper.keep("a.b.c");
  assert.equal(sessionStorage.getItem(sessionKey), "a.b.c");
  assert.equal(createSessionKeeper(() => sessionStorage).read(), "a.b.c");
  keeper.forget();
  assert.equal(keeper.read(), undefined);
  assert.equal(sessionStorage.length, 0);
});

Deno.test("createSessionKeeper() keeps the JWT in memory when the browser blocks storage", () => {
  const keeper = createSessionKeeper(() => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  });
  keeper.keep("a.b.c");
  assert.equal(keeper.read(), "a.b.c");
  keeper.forget();
  assert.equal(keeper.read(), undefined);
});
