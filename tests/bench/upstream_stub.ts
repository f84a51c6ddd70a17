/**
 * An upstream that costs next to nothing and answers at any pace: ChatGPT's `/codex/responses`, Grok's
 * `/chat/completions`, and nothing of what they refuse. The model's name says what to stream: `20x200` is an event of
 * text every 20 ms, 200 in all; `0x200` is 200 as fast as they are taken. Each event is a chunk of its own, and its text
 * is the time at which it was sent, in milliseconds with fractions.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { account, completion, type Script, streamScripts } from "./upstream_wire.ts";

const server = createServer((request, response) => {
  // A client that leaves ends the answer, which is all there is to do.
  response.on("error", () => {});
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("The server has no port.");
  Deno.stdout.writeSync(new TextEncoder().encode(`http://127.0.0.1:${address.port}\n`));
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = await readText(request);
  if (request.method !== "POST") return sendJson(response, account);
  const body = JSON.parse(text);
  const script = streamScripts[request.url ?? ""];
  if (script === undefined) {
    response.writeHead(404).end();
  } else if (body.stream === true) {
    const [paceMs = 0, events = 0] = String(body.model).split("x").map(Number);
    await stream(response, script, paceMs, events);
  } else {
    sendJson(response, completion);
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  const document = JSON.stringify(value);
  response.writeHead(200, { "content-type": "application/json", "content-length": String(document.length) });
  response.end(document);
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += new TextDecoder().decode(chunk);
  return text;
}

async function stream(
  response: ServerResponse,
  script: Script,
  paceMs: number,
  events: number,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of script.head) response.write(event);
  let whole = "";
  const send = (): boolean => {
    const text = (performance.timeOrigin + performance.now()).toFixed(3);
    whole += text;
    return response.write(script.delta(text));
  };
  if (paceMs > 0) await paced(response, paceMs, events, send);
  else await unpaced(response, events, send);
  for (const event of script.tail(whole)) response.write(event);
  response.end();
}

/** Spreads the streams over the pace, so that their events do not come in step. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;
let streams = 0;

/** Resolves after `events`, or when the client has left. */
async function paced(
  response: ServerResponse,
  paceMs: number,
  events: number,
  send: () => void,
): Promise<void> {
  const phase = (streams++ * goldenRatio) % 1;
  await new Promise((resolve) => setTimeout(resolve, phase * paceMs));
  await new Promise<void>((resolve) => {
    let sent = 0;
    const timer = setInterval(() => {
      if (sent++ < events) return send();
      clearInterval(timer);
      resolve();
    }, paceMs);
    response.on("close", () => {
      clearInterval(timer);
      resolve();
    });
  });
}

async function unpaced(response: ServerResponse, events: number, send: () => boolean): Promise<void> {
  for (let sent = 0; sent < events && !response.destroyed; sent++) {
    if (!send()) await new Promise((resolve) => response.once("drain", resolve));
  }
}
