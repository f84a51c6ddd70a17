import assert from "node:assert/strict";
import { buildAssets } from "../../src/page/build_assets.ts";
import { pageAssets } from "../../src/page/page.ts";

function body(path: string): string {
  return pageAssets.find((asset) => asset.path === path)?.body ?? "";
}

Deno.test("assets.ts is what `deno task page` makes of the sources", async () => {
  const kept = await Deno.readTextFile(new URL("../../src/page/assets.ts", import.meta.url));
  assert(kept === await buildAssets(), "src/page/assets.ts is out of date. Run `deno task page`.");
});

Deno.test("pageAssets has three files with their types and the same strict headers", () => {
  const common = {
    "cache-control": "no-store",
    "content-security-policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
  assert.deepEqual(pageAssets.map(({ path, headers }) => ({ path, headers })), [
    { path: "/sign-in", headers: { ...common, "content-type": "text/html; charset=utf-8" } },
    { path: "/sign-in/client.js", headers: { ...common, "content-type": "text/javascript; charset=utf-8" } },
    { path: "/sign-in/style.css", headers: { ...common, "content-type": "text/css; charset=utf-8" } },
  ]);
  assert(Object.isFrozen(pageAssets));
});

Deno.test("pageAssets refers to nothing outside the relay and to nothing by an absolute path", () => {
  const references = [...body("/sign-in").matchAll(/\s(?:href|src|action)="([^"]*)"/g)].map(([, url]) =>
    url ?? ""
  );
  assert.deepEqual(references.filter((url) => !url.startsWith("data:image/svg+xml,")), [
    "sign-in/style.css",
    "sign-in/client.js",
  ]);
  assert.doesNotMatch(body("/sign-in/style.css"), /@import|url\(/);
  assert.doesNotMatch(body("/sign-in/client.js"), /^\s*import\s|\bimport\(|innerHTML|\beval\(/m);
});

Deno.test("pageAssets holds no inline script or style, which the policy would block", () => {
  assert.doesNotMatch(body("/sign-in"), /<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/);
});

Deno.test("pageAssets names libraries by package, not by a path of the machine that built it", () => {
  const origins = [...body("/sign-in/client.js").matchAll(/^\/\/ (\S+\/\S+)$/gm)].map(([, origin]) =>
    origin ?? ""
  );
  assert(origins.some((origin) => origin.startsWith("npm:qrcode-generator@")));
  for (const origin of origins) assert.match(origin, /^(npm:[a-z-]+@[\d.]+\/|src\/)/);
});
