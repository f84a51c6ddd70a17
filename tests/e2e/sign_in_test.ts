import assert from "node:assert/strict";
import type { ProviderId } from "../../src/provider/provider.ts";
import type { Fault } from "../../src/sandbox/contract.ts";
import { type Rig, startRig } from "./rig.ts";

const providers: readonly { readonly id: ProviderId; readonly upstream: Fault["upstream"] }[] = [
  { id: "openai", upstream: "chatgpt" },
  { id: "xai", upstream: "grok" },
  { id: "github", upstream: "copilot" },
];

interface WhoAmI {
  readonly user: { readonly id: string; readonly provider: string };
  readonly session: { readonly expires: number };
}

async function whoAmI(rig: Rig, jwt: string): Promise<WhoAmI> {
  const response = await fetch(`${rig.origin}/auth/whoami`, { headers: { authorization: `Bearer ${jwt}` } });
  assert.equal(response.status, 200);
  return await response.json();
}

async function statusOf(rig: Rig, jwt: string): Promise<number> {
  const response = await fetch(`${rig.origin}/auth/whoami`, { headers: { authorization: `Bearer ${jwt}` } });
  await response.body?.cancel();
  return response.status;
}

Deno.test("/auth/providers lists the three in the order of the contract", async () => {
  await using rig = await startRig();
  assert.deepEqual(await (await fetch(`${rig.origin}/auth/providers`)).json(), {
    providers: [
      { id: "openai", displayName: "ChatGPT" },
      { id: "xai", displayName: "Grok" },
      { id: "github", displayName: "GitHub Copilot" },
    ],
  });
});

Deno.test("/auth/start means ChatGPT when no provider is named, and answers with the members of the contract", async () => {
  await using rig = await startRig();
  for (const body of [null, "", "{}", '{"provider":null}']) {
    const response = await fetch(`${rig.origin}/auth/start`, { method: "POST", body });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("cache-control"), "no-store");
    const started = await response.json();
    assert.equal(started.provider, "openai");
    assert.deepEqual(Object.keys(started).sort(), [
      "expiresInMs",
      "pollIntervalMs",
      "provider",
      "sessionId",
      "userCode",
      "verificationUrl",
    ]);
    assert.match(started.sessionId, /^[A-Za-z0-9_-]+$/);
  }
});

for (const { id, upstream } of providers) {
  Deno.test(`${id}: the session is what the clients in the field expect`, async () => {
    await using rig = await startRig();
    const jwt = await rig.signIn(id);
    const [, payload = ""] = jwt.split(".");
    assert.equal(jwt.split(".").length, 3);
    assert.ok(jwt.length < 1_000, `${jwt.length} characters must fit into a cookie`);
    const claims = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    assert.equal(claims.prov, id);
    assert.equal(claims.exp, Math.floor(rig.clock.nowMs / 1000) + 14 * 86_400);
    const { user, session } = await whoAmI(rig, jwt);
    assert.equal(user.provider, id);
    assert.match(user.id, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(session.expires, claims.exp);
  });

  Deno.test(`${id}: two devices stay signed in, and each is signed out alone`, async () => {
    await using rig = await startRig();
    const phone = await rig.signIn(id);
    const laptop = await rig.signIn(id);
    const other = await rig.signIn(id, "bob");
    assert.equal((await whoAmI(rig, phone)).user.id, (await whoAmI(rig, laptop)).user.id);
    assert.notEqual((await whoAmI(rig, phone)).user.id, (await whoAmI(rig, other)).user.id);
    const revoked = await fetch(`${rig.origin}/auth/revoke`, {
      method: "POST",
      headers: { authorization: `Bearer ${phone}` },
    });
    assert.deepEqual([revoked.status, await revoked.text()], [204, ""]);
    assert.equal(await statusOf(rig, phone), 401);
    assert.equal(await statusOf(rig, laptop), 200);
    const answer = await rig.openAi(laptop).models.list();
    assert.ok(answer.data.length > 0, "the other device's grant still works upstream");
  });

  Deno.test(`${id}: no hiccup of the provider ends a sign-in`, async () => {
    await using rig = await startRig();
    const { sessionId, userCode } = await rig.start(id);
    const hiccups: Fault["kind"][] = [
      { type: "status", status: 503 },
      { type: "status", status: 500, body: "<html>oops</html>" },
      { type: "status", status: 429 },
      { type: "challenge" },
      { type: "drop" },
      { type: "slow_down" },
    ];
    for (const kind of hiccups) {
      rig.sandbox.control.addFault({ upstream, on: "poll", kind });
      rig.clock.nowMs += 60_000;
      assert.deepEqual(await rig.poll(sessionId), { status: "pending" }, kind.type);
    }
    assert.deepEqual(rig.sandbox.control.faults(), [], "every hiccup was met");
    rig.sandbox.control.approve(userCode, "ada");
    rig.clock.nowMs += 60_000;
    assert.equal((await rig.poll(sessionId)).status, "complete");
  });

  Deno.test(`${id}: hiccups after the approval do not end the sign-in either`, async () => {
    await using rig = await startRig();
    const { sessionId, userCode } = await rig.start(id);
    rig.sandbox.control.approve(userCode, "ada");
    const steps = id === "openai"
      ? ["exchange"] as const
      : id === "github"
      ? ["user", "exchange"] as const
      : [];
    for (const on of steps) {
      for (const kind of [{ type: "status", status: 503 }, { type: "challenge" }] as const) {
        rig.sandbox.control.addFault({ upstream, on, kind });
        rig.clock.nowMs += 60_000;
        assert.deepEqual(await rig.poll(sessionId), { status: "pending" }, `${on} ${kind.type}`);
      }
    }
    // With the token in hand the code's own end does not matter any more: the person has decided in time.
    rig.clock.nowMs += id === "github" ? 16 * 60_000 : 60_000;
    assert.equal((await rig.poll(sessionId)).status, "complete");
  });

  Deno.test(`${id}: a refusal by the person ends the sign-in with a sentence`, async () => {
    await using rig = await startRig();
    const { sessionId, userCode } = await rig.start(id);
    rig.sandbox.control.deny(userCode);
    rig.clock.nowMs += 5_000;
    const expected = { status: "error", error: "The sign-in was refused on the provider's page." };
    assert.deepEqual(await rig.poll(sessionId), expected);
    rig.clock.nowMs += 60_000;
    assert.deepEqual(await rig.poll(sessionId), expected);
  });

  Deno.test(`${id}: the provider's interval is kept however often clients poll`, async () => {
    await using rig = await startRig();
    const { sessionId } = await rig.start(id);
    for (let second = 0; second < 30; second++) {
      await Promise.all(Array.from({ length: 5 }, () => rig.poll(sessionId)));
      rig.clock.nowMs += 1_000;
    }
    const polls = rig.sandbox.control.requests({ upstream, on: "poll" }).map(({ atMs }) => atMs);
    assert.equal(polls.length, 5);
    for (const [index, atMs] of polls.entries()) {
      assert.ok(index === 0 || atMs - (polls[index - 1] ?? 0) >= 5_000);
    }
  });

  Deno.test(`${id}: many polls at the moment of completion cause one exchange`, async () => {
    await using rig = await startRig();
    const { sessionId, userCode } = await rig.start(id);
    rig.sandbox.control.approve(userCode, "ada");
    rig.clock.nowMs += 5_000;
    const answers = await Promise.all(Array.from({ length: 20 }, () => rig.poll(sessionId)));
    assert.ok(answers.every(({ status }) => status === "pending" || status === "complete"));
    const jwts = new Set(answers.flatMap(({ jwt }) => jwt ?? []));
    jwts.add((await rig.poll(sessionId)).jwt ?? "");
    assert.equal(jwts.size, 1);
    assert.equal(rig.sandbox.control.requests({ upstream, on: "poll" }).length, 1);
    assert.ok(rig.sandbox.control.requests({ upstream, on: "exchange" }).length <= 1);
  });

  Deno.test(`${id}: a provider that cannot start a sign-in is 502 in our own words`, async () => {
    await using rig = await startRig();
    const body = "<html>canary-upstream-body</html>";
    rig.sandbox.control.addFault({ upstream, on: "device", kind: { type: "status", status: 503, body } });
    const response = await fetch(`${rig.origin}/auth/start`, {
      method: "POST",
      body: JSON.stringify({ provider: id }),
    });
    assert.equal(response.status, 502);
    const { error } = await response.json();
    assert.match(error, /did not start the sign-in\. Try again in a moment\.$/);
  });
}

Deno.test("colleagues of one ChatGPT workspace are different users, each with their own grant", async () => {
  await using rig = await startRig();
  const bob = await rig.signIn("openai", "bob");
  const carol = await rig.signIn("openai", "carol");
  const person = (name: string) => rig.sandbox.control.users.find((user) => user.name === name);
  assert.equal(
    person("bob")?.chatgptAccountId,
    person("carol")?.chatgptAccountId,
    "they share the workspace",
  );
  assert.notEqual((await whoAmI(rig, bob)).user.id, (await whoAmI(rig, carol)).user.id);
  assert.equal(await statusOf(rig, bob), 200);
});

Deno.test("a GitHub account without a Copilot seat is told so", async () => {
  await using rig = await startRig();
  const { sessionId, userCode } = await rig.start("github");
  const { name } = rig.sandbox.control.users.find(({ copilotSeat }) => copilotSeat === "none") ??
    { name: "" };
  rig.sandbox.control.approve(userCode, name);
  rig.clock.nowMs += 5_000;
  const answer = await rig.poll(sessionId);
  assert.equal(answer.status, "error");
  assert.match(answer.error ?? "", /Copilot/);
});

Deno.test("no cache may keep what a poll answers, with the JWT or without", async () => {
  await using rig = await startRig();
  const { sessionId, userCode } = await rig.start("openai");
  for (const status of ["pending", "complete", "complete"]) {
    const response = await fetch(`${rig.origin}/auth/poll/${sessionId}`);
    const answer = await response.json();
    assert.equal(answer.status, status);
    assert.equal("jwt" in answer, status === "complete");
    assert.equal(response.headers.get("cache-control"), "no-store", status);
    rig.sandbox.control.approve(userCode, "ada");
    rig.clock.nowMs += 5_000;
  }
});

Deno.test("a finished sign-in stops answering with its JWT once the session is revoked", async () => {
  await using rig = await startRig();
  const { sessionId, userCode } = await rig.start("openai");
  rig.sandbox.control.approve(userCode, "ada");
  rig.clock.nowMs += 5_000;
  const { jwt } = await rig.poll(sessionId);
  assert.deepEqual(await rig.poll(sessionId), { status: "complete", jwt });
  await fetch(`${rig.origin}/auth/revoke`, { method: "POST", headers: { authorization: `Bearer ${jwt}` } });
  assert.deepEqual(await rig.poll(sessionId), { status: "expired" });
});

Deno.test("an access token that ends is renewed on the way, and a grant that the provider ended is a 401", async () => {
  for (const { id, upstream } of providers) {
    await using rig = await startRig({ sandbox: { accessTokenSeconds: 1_800 } });
    const jwt = await rig.signIn(id);
    rig.clock.nowMs += 1_700_000;
    const lists = await Promise.all(Array.from({ length: 10 }, () => rig.openAi(jwt).models.list()));
    assert.ok(lists.every(({ data }) => data.length > 0), id);
    assert.equal(rig.sandbox.control.requests({ upstream, on: "refresh" }).length, 1, id);

    rig.sandbox.control.revokeGrants(upstream, "ada");
    await assert.rejects(rig.openAi(jwt).models.list(), { status: 401 }, id);
    assert.equal(await statusOf(rig, jwt), 401, id);
  }
});

Deno.test("browsers may send every header of the SDKs, and read what they need", async () => {
  await using rig = await startRig();
  const wanted = "authorization,content-type,x-stainless-lang,x-stainless-os,x-authai-publishable-key";
  const preflight = await fetch(`${rig.origin}/v1/chat/completions`, {
    method: "OPTIONS",
    headers: {
      "origin": "https://app.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": wanted,
    },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.equal(preflight.headers.get("access-control-allow-headers"), wanted);
  const answer = await fetch(`${rig.origin}/v1/models`, { headers: { origin: "https://app.example" } });
  await answer.body?.cancel();
  assert.match(answer.headers.get("access-control-expose-headers") ?? "", /x-authai-ignored-parameters/);

  await using narrow = await startRig({ relay: { corsOrigins: ["https://app.example"] } });
  for (
    const [origin, allowed] of [["https://app.example", "https://app.example"], [
      "https://evil.example",
      null,
    ]]
  ) {
    const response = await fetch(`${narrow.origin}/healthz`, { headers: { origin: origin ?? "" } });
    await response.body?.cancel();
    assert.equal(response.headers.get("access-control-allow-origin"), allowed);
  }
});
