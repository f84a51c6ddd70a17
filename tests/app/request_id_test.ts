import assert from "node:assert/strict";
import { startRig } from "../e2e/rig.ts";

Deno.test("every answer has an x-request-id of its own, made here", async () => {
  await using rig = await startRig({
    relay: {
      middleware: [
        async (context, next) => {
          if (context.req.path === "/boom") return await Promise.reject("no error at all");
          // A response whose headers cannot be changed.
          if (context.req.path === "/elsewhere") return await fetch(`${rig.origin}/healthz`);
          await next();
          return undefined;
        },
      ],
    },
  });
  const jwt = await rig.signIn("openai");
  const paths = [
    "/",
    "/healthz",
    "/auth/whoami",
    "/v1/models",
    "/v1/nothing",
    "/nothing",
    "/boom",
    "/elsewhere",
  ];
  const ids = new Set<string>();
  for (const path of paths) {
    for (const authorization of ["Bearer wrong", `Bearer ${jwt}`]) {
      const response = await fetch(rig.origin + path, {
        headers: { authorization, "x-request-id": "req_forged" },
      });
      await response.body?.cancel();
      const id = response.headers.get("x-request-id");
      assert.match(id ?? "", /^req_[0-9A-HJKMNP-TV-Z]{26}$/, path);
      ids.add(id ?? "");
    }
  }
  assert.equal(ids.size, 2 * paths.length);
});

Deno.test("a web page may read the request id", async () => {
  await using rig = await startRig();
  const response = await fetch(`${rig.origin}/healthz`, { headers: { origin: "https://app.example" } });
  await response.body?.cancel();
  const exposed = response.headers.get("access-control-expose-headers")?.split(",");
  assert.ok(exposed?.includes("x-request-id"));
});
