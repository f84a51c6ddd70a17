/**
 * Other programs that stand between clients and model providers, for comparison: what an operator would run instead.
 *
 * @module
 */
import { type ServerProcess, startServer } from "./server_process.ts";

/** A peer that runs. */
export interface Peer {
  readonly name: string;
  readonly server: ServerProcess;
  /** Where it takes Chat calls. */
  readonly path: string;
  /** What its calls carry beside the usual. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether it can stream from the stub. */
  readonly streams: boolean;
}

/** A peer that does not run, and why. */
export interface AbsentPeer {
  readonly name: string;
  readonly absent: string;
}

/** Pinned, so that two runs compare the same programs. */
const packages = ["copilot-api@0.7.0", "@portkey-ai/gateway@1.15.2"] as const;

/**
 * copilot-api knows GitHub's addresses only. This leads its requests to the stub, and is all that is changed in it.
 */
const redirectModule = `const send = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const { pathname, search } = new URL(typeof input === "string" ? input : input.url ?? input);
  return send(process.env.BENCH_UPSTREAM + pathname + search, init);
};
`;

/** Starts nginx, if the machine has it, and the peers from npm, if they can be installed into `dir`. */
export async function startPeers(upstream: string, dir: string): Promise<readonly (Peer | AbsentPeer)[]> {
  const nginx = await present("nginx", () => startNginx(upstream, dir));
  const installed = await run("npm", [
    ...["install", "--no-audit", "--no-fund", "--omit=dev", "--ignore-scripts", "--prefix", dir],
    ...packages,
  ]);
  if (!installed) {
    const absent = "npm could not install it";
    return [nginx, { name: "copilot-api", absent }, { name: "portkey", absent }];
  }
  return [
    nginx,
    await present("copilot-api", () => startCopilotApi(upstream, dir)),
    await present("portkey", () => startPortkey(upstream, dir)),
  ];
}

async function present(name: string, start: () => Promise<Omit<Peer, "name">>): Promise<Peer | AbsentPeer> {
  try {
    return { name, ...await start() };
  } catch (error) {
    return { name, absent: error instanceof Deno.errors.NotFound ? "not installed" : "did not start" };
  }
}

async function startNginx(upstream: string, dir: string): Promise<Omit<Peer, "name">> {
  const port = freePort();
  const config = `daemon off;
master_process off;
pid ${dir}/nginx.pid;
error_log stderr;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  upstream stub { server ${new URL(upstream).host}; keepalive 256; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://stub;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`;
  await Deno.writeTextFile(`${dir}/nginx.conf`, config);
  const server = await startServer({
    command: "nginx",
    args: ["-p", dir, "-c", `${dir}/nginx.conf`],
    cwd: new URL(`file://${dir}/`),
    env: {},
    path: "/",
    origin: `http://127.0.0.1:${port}`,
  });
  return { server, path: "/chat/completions", headers: {}, streams: true };
}

async function startCopilotApi(
  upstream: string,
  dir: string,
): Promise<Omit<Peer, "name">> {
  const port = freePort();
  await Deno.writeTextFile(`${dir}/redirect.mjs`, redirectModule);
  const server = await startServer({
    command: "node",
    args: [
      ...["--import", `${dir}/redirect.mjs`, `${dir}/node_modules/copilot-api/dist/main.js`, "start"],
      ...["--port", String(port), "--github-token", "bench"],
    ],
    cwd: new URL(`file://${dir}/`),
    env: { BENCH_UPSTREAM: upstream, HOME: dir },
    path: "/",
    origin: `http://127.0.0.1:${port}`,
  });
  return { server, path: "/v1/chat/completions", headers: {}, streams: true };
}

async function startPortkey(
  upstream: string,
  dir: string,
): Promise<Omit<Peer, "name">> {
  const port = freePort();
  const server = await startServer({
    command: "node",
    args: [
      `${dir}/node_modules/@portkey-ai/gateway/build/start-server.js`,
      `--port=${port}`,
      "--headless",
    ],
    cwd: new URL(`file://${dir}/`),
    env: {},
    path: "/",
    origin: `http://127.0.0.1:${port}`,
  });
  const headers = { "x-portkey-provider": "openai", "x-portkey-custom-host": upstream };
  return {
    server,
    path: "/v1/chat/completions",
    headers,
    streams: await canStream(`${server.origin}/v1/chat/completions`, headers),
  };
}

/** Portkey fails on every stream where Node's response headers are immutable. */
async function canStream(url: string, headers: Readonly<Record<string, string>>): Promise<boolean> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, authorization: "Bearer bench", "content-type": "application/json" },
    body: JSON.stringify({ model: "0x1", messages: [], stream: true }),
  });
  await response.body?.cancel();
  return response.ok;
}

async function run(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args: [...args], stdout: "null", stderr: "null" })
      .output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
