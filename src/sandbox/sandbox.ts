/**
 * The sandbox: simulated ChatGPT, Grok and GitHub Copilot on one listener, each under its own path prefix, with sign-in
 * pages, scripted faults and a memory of what reached them.
 *
 * | prefix | stands for |
 * |---|---|
 * | `/openai/auth` | `https://auth.openai.com` |
 * | `/openai/backend-api` | `https://chatgpt.com/backend-api` |
 * | `/xai/auth` | `https://auth.x.ai` |
 * | `/xai/v1` | `https://cli-chat-proxy.grok.com/v1` |
 * | `/xai/api/v1` | `https://api.x.ai/v1` |
 * | `/github` | `https://github.com` |
 * | `/github/api` | `https://api.github.com` |
 * | `/copilot/<plan>` | `https://api.<plan>.githubcopilot.com` |
 * | `/_sandbox` | the controls (control_http.ts) |
 *
 * @module
 */
import type { SandboxContext } from "./contract.ts";
import { createControl, type SandboxControl } from "./control.ts";
import { answerControl } from "./control_http.ts";
import { planTurn } from "./engine.ts";
import { createFaultQueue } from "./fault_queue.ts";
import { type Exchange, startHttpServer } from "./http_server.ts";
import { createRequestLog } from "./request_log.ts";
import { changedSwitches, DEFAULT_SWITCHES, type SwitchChanges } from "./switches.ts";
import { createTokenSource } from "./token_source.ts";
import { SANDBOX_USERS } from "./users.ts";
import { buildWorld, type Mount } from "./world.ts";

/** What may be chosen about a sandbox. */
export interface SandboxOptions {
  /** Address to listen on; `127.0.0.1` when absent. There is no access control: keep it on loopback. */
  readonly hostname?: string;
  /** Port; 0, the default, takes a free one. */
  readonly port?: number;
  /** The clock, milliseconds since the epoch; the real one when absent. */
  readonly now?: () => number;
  /** Name of the person for whom every sign-in is approved at once; `false`, the default, waits for a click. */
  readonly autoApprove?: string | false;
  /** Seconds between polls that the upstreams demand; 5 when absent, 0 never refuses a poll. */
  readonly pollIntervalSeconds?: number;
  /** Life of access tokens, seconds; 3600 when absent. */
  readonly accessTokenSeconds?: number;
  /** How the upstreams behave where sources disagree; the rest stays at `DEFAULT_SWITCHES`. */
  readonly switches?: SwitchChanges;
}

/** A running sandbox. */
export interface Sandbox {
  /** E.g. `http://127.0.0.1:4100`, without a trailing slash. */
  readonly origin: string;
  /**
   * The settings that point a relay here. The Copilot API is not among them: the exchanged token names its address, as
   * the real one does.
   */
  readonly settings: Readonly<Record<string, string>>;
  /** Who approves, what goes wrong, and what was seen. */
  readonly control: SandboxControl;
  /** Stops listening and breaks every connection. */
  shutdown(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Starts a sandbox. Resolves when it listens; rejects when the address cannot be had or `autoApprove` names nobody.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const hostname = options.hostname ?? "127.0.0.1";
  const faults = createFaultQueue();
  const log = createRequestLog();
  const firstSwitches = changedSwitches(DEFAULT_SWITCHES, options.switches ?? {});
  let switches = firstSwitches;
  let origin = "";
  const context: SandboxContext = {
    now: options.now ?? Date.now,
    origin: () => origin,
    users: SANDBOX_USERS,
    planTurn,
    pollIntervalSeconds: options.pollIntervalSeconds ?? 5,
    accessTokenSeconds: options.accessTokenSeconds ?? 3600,
    autoApproveAs: personNamed(options.autoApprove ?? false),
    switches: () => switches,
    approvals: [],
    takeFault: (upstream, on) => faults.takeFault(upstream, on),
    hang: (signal) => faults.hang(signal),
    token: createTokenSource(),
  };
  let world = buildWorld(context);
  const control = createControl({
    context,
    faults,
    log,
    setSwitches: (changes) => switches = changedSwitches(switches, changes),
    counters: () => world.counters(),
    revokeGrants: (upstream, user) => world.revokeGrants(upstream, user),
    forgetEverything() {
      world = buildWorld(context);
      switches = firstSwitches;
    },
  });

  const begin = (request: Request, body: Uint8Array<ArrayBuffer>): Exchange => {
    const { pathname, search } = new URL(request.url);
    const controlPath = below("/_sandbox", pathname);
    if (controlPath !== undefined) {
      return unrecorded(() => answerControl(control, relaySettings(origin), request, controlPath));
    }
    const mount = findMount(world.mounts, pathname);
    if (mount === undefined) return unrecorded(() => Promise.resolve(greet(pathname)));
    const record = log.add({
      upstream: mount.upstream,
      method: request.method,
      path: pathname + search,
      headers: Object.fromEntries(request.headers),
      body: new TextDecoder().decode(body),
      atMs: context.now(),
    });
    return {
      answer: () => mount.simulated.handle(request, below(mount.prefix, pathname) ?? "/", record),
      ended: (how) => record.end = how,
    };
  };

  const server = await startHttpServer({
    hostname,
    port: options.port ?? 0,
    maxBodyBytes: MAX_BODY_BYTES,
    begin,
  });
  origin = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${server.port}`;
  return {
    origin,
    settings: relaySettings(origin),
    control,
    shutdown: () => server.close(),
  };
}

/** See {@linkcode Sandbox.settings}. */
function relaySettings(origin: string): Sandbox["settings"] {
  return Object.freeze({
    AUTH_AI_OPENAI_ISSUER_URL: `${origin}/openai/auth`,
    AUTH_AI_OPENAI_API_URL: `${origin}/openai/backend-api`,
    AUTH_AI_XAI_ISSUER_URL: `${origin}/xai/auth`,
    AUTH_AI_XAI_API_URL: `${origin}/xai/v1`,
    AUTH_AI_GITHUB_URL: `${origin}/github`,
    AUTH_AI_GITHUB_API_URL: `${origin}/github/api`,
  });
}

function personNamed(name: string | false): SandboxContext["autoApproveAs"] {
  if (name === false) return null;
  const user = SANDBOX_USERS.find((one) => one.name === name);
  if (user !== undefined) return user;
  const names = SANDBOX_USERS.map((one) => one.name).join(", ");
  throw new RangeError(`There is no person '${name}' in the sandbox. Take one of: ${names}.`);
}

/** The mount with the longest prefix: `/github/api` is not `/github`. */
function findMount(mounts: readonly Mount[], pathname: string): Mount | undefined {
  return mounts.filter((mount) => below(mount.prefix, pathname) !== undefined)
    .sort((one, other) => other.prefix.length - one.prefix.length)[0];
}

/** The part of a path below a prefix, starting with a slash; undefined when it is elsewhere. */
function below(prefix: string, pathname: string): string | undefined {
  if (pathname === prefix) return "/";
  return pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : undefined;
}

function unrecorded(answer: () => Promise<Response>): Exchange {
  return { answer, ended() {} };
}

function greet(pathname: string): Response {
  return pathname === "/"
    ? Response.json({ ok: true, service: "authai-relay sandbox" })
    : new Response("Not Found", { status: 404 });
}
