/**
 * The controls over HTTP, under `/_sandbox/`, for a sandbox that runs as a process of its own.
 *
 * | route | body or query | answer |
 * |---|---|---|
 * | `GET state` | filter: `upstream`, `on`, `end`, `path` | users, approvals, faults, switches, counters, requests |
 * | `GET settings` | | as text, the settings that point a relay here, `NAME=value` lines for a shell's `export` |
 * | `GET requests` | filter, `count` | the requests, as soon as at least `count` match (0 when absent) |
 * | `POST approve` | `{userCode, user}` | |
 * | `POST deny` | `{userCode}` | |
 * | `POST faults` | one fault or an array of them | |
 * | `POST release` | | `{released}` |
 * | `POST switches` | changes by upstream | |
 * | `POST revoke-grant` | `{upstream, user}` | |
 * | `POST reset` | | |
 *
 * A `POST` carries JSON, so that a foreign web page cannot send one without asking; without a body no type is needed.
 * Commands answer `{"ok":true}`, or 400 with `{"error":"<sentence>"}`.
 *
 * @module
 */
import type { ControlOutcome, SandboxControl } from "./control.ts";
import { readFault, readFilter, readSwitchChanges, readUpstream } from "./control_message.ts";
import { mediaType } from "./form_body.ts";
import { type Members, membersOf, parseJson } from "./members.ts";

/**
 * Answers a control request; `path` starts with a slash and has the mount prefix removed. `settings` point a relay at this
 * sandbox.
 */
export async function answerControl(
  control: SandboxControl,
  settings: Readonly<Record<string, string>>,
  request: Request,
  path: string,
): Promise<Response> {
  const url = new URL(request.url);
  if (request.method === "GET" && path === "/state") return tellState(control, url.searchParams);
  if (request.method === "GET" && path === "/settings") return tellSettings(settings);
  if (request.method === "GET" && path === "/requests") {
    return await tellRequests(control, url.searchParams, request.signal);
  }
  if (request.method !== "POST") return refuse(404, "There is no such control route.");
  const text = await request.text();
  if (text !== "" && mediaType(request) !== "application/json") {
    return refuse(415, "Send the body as application/json.");
  }
  const body = text === "" ? {} : parseJson(text);
  const members = membersOf(body);
  switch (path) {
    case "/approve":
      return conclude(control.approve(word(members, "userCode"), word(members, "user")));
    case "/deny":
      return conclude(control.deny(word(members, "userCode")));
    case "/faults":
      return addFaults(control, body);
    case "/release":
      return Response.json({ released: control.release() });
    case "/switches":
      return setSwitches(control, body);
    case "/revoke-grant": {
      const upstream = readUpstream(members["upstream"]);
      return upstream === undefined
        ? refuse(400, "The upstream has to be chatgpt, grok or copilot.")
        : conclude(control.revokeGrants(upstream, word(members, "user")));
    }
    case "/reset":
      control.reset();
      return conclude({ kind: "done" });
    default:
      return refuse(404, "There is no such control route.");
  }
}

function tellState(control: SandboxControl, query: URLSearchParams): Response {
  const filter = readFilter(query);
  if (filter === undefined) return refuse(400, "The filter has an unknown word in it.");
  return Response.json({
    users: control.users,
    approvals: control.approvals(),
    faults: control.faults(),
    switches: control.switches(),
    counters: control.counters(),
    requests: control.requests(filter),
  });
}

function tellSettings(settings: Readonly<Record<string, string>>): Response {
  return new Response(Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join(""));
}

async function tellRequests(
  control: SandboxControl,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<Response> {
  const filter = readFilter(query);
  const count = Number(query.get("count") ?? "0");
  if (filter === undefined || !Number.isInteger(count) || count < 0) {
    return refuse(400, "The filter has an unknown word in it.");
  }
  return Response.json({ requests: await control.waitForRequests(filter, count, signal) });
}

function addFaults(control: SandboxControl, body: unknown): Response {
  const faults = (Array.isArray(body) ? body : [body]).map(readFault);
  const readable = faults.filter((fault) => fault !== undefined);
  if (readable.length !== faults.length) {
    return refuse(400, "A fault needs upstream, on and kind; see contract.ts.");
  }
  for (const fault of readable) control.addFault(fault);
  return conclude({ kind: "done" });
}

function setSwitches(control: SandboxControl, body: unknown): Response {
  const changes = readSwitchChanges(body, control.switches());
  if (changes === undefined) return refuse(400, "A switch has an unknown name or a value of another kind.");
  control.setSwitches(changes);
  return conclude({ kind: "done" });
}

function conclude(outcome: ControlOutcome): Response {
  return outcome.kind === "done" ? Response.json({ ok: true }) : refuse(400, outcome.reason);
}

function refuse(status: number, sentence: string): Response {
  return Response.json({ error: sentence }, { status });
}

function word(members: Members, name: string): string {
  const value = members[name];
  return typeof value === "string" ? value : "";
}
