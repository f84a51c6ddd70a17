/** A TCP server for tests in which every byte on the wire matters: what it says is no more and no less than a test says. */

/** The server's side of one connection. */
export interface RawPeer {
  /** Which connection of the server's this is, from 1. */
  readonly number: number;
  /** The next whole request, one character for each byte; undefined when the client has closed the connection. */
  request(): Promise<string | undefined>;
  /** Whatever comes next; undefined when the client has closed the connection. */
  receive(): Promise<string | undefined>;
  /** Sends one byte for each character. */
  say(text: string): Promise<void>;
}

/** Starts the server; `serve` has each connection until it returns. Stop it with `await using`, after its clients. */
// deno-lint-ignore explicit-module-boundary-types -- what a test server has is best said by its code
export function startRawServer(
  serve: (peer: RawPeer) => Promise<void>,
  tls?: { readonly cert: string; readonly key: string },
) {
  const listener = tls === undefined
    ? Deno.listen({ hostname: "127.0.0.1", port: 0 })
    : Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...tls, alpnProtocols: ["h2", "http/1.1"] });
  let connections = 0;
  const served: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) served.push(attend(connection, ++connections));
  })();

  async function attend(connection: Deno.Conn, number: number): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    let held = "";
    async function receive(): Promise<string | undefined> {
      const count = await connection.read(buffer).catch(() => null);
      return count === null ? undefined : octets(buffer.subarray(0, count));
    }
    await serve({
      number,
      receive,
      async request(): Promise<string | undefined> {
        for (;;) {
          const length = requestLength(held);
          if (length <= held.length) {
            const request = held.slice(0, length);
            held = held.slice(length);
            return request;
          }
          const more = await receive();
          if (more === undefined) return undefined;
          held += more;
        }
      },
      async say(text: string): Promise<void> {
        const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
        // The client may have left: what it then makes of it is the test's business.
        for (let at = 0; at < bytes.length;) {
          const written = await connection.write(bytes.subarray(at)).catch(() => bytes.length);
          at += written;
        }
      },
    }).finally(() => connection.close());
  }

  return {
    origin: `${tls === undefined ? "http" : "https"}://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    /** How many connections there have been. */
    get connections(): number {
      return connections;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await accepting;
      await Promise.all(served);
    },
  };
}

function octets(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** How long the request at the beginning of `text` is; infinite while its head is not whole. */
function requestLength(text: string): number {
  const head = text.indexOf("\r\n\r\n");
  if (head === -1) return Infinity;
  const announced = /\r\ncontent-length: *([0-9]+)\r\n/i.exec(text.slice(0, head + 2));
  return head + 4 + Number(announced?.[1] ?? 0);
}
