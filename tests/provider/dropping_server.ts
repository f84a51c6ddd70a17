/**
 * A raw HTTP/1.1 server that answers every odd request it ever gets and keeps the connection, and closes the connection
 * on every even one: what a pooled connection that dies looks like.
 */

/** Starts the server for requests whose body is `body`. Stop it with `await using`. */
// deno-lint-ignore explicit-module-boundary-types -- what a test server has is best said by its code
export function startDroppingServer(body: string) {
  let requests = 0;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) served.push(serve(connection));
  })();

  async function serve(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(4096);
    let text = "";
    while (true) {
      const count = await connection.read(buffer).catch(() => null);
      if (count === null) break;
      text += new TextDecoder().decode(buffer.subarray(0, count));
      if (!text.endsWith(body)) continue;
      text = "";
      if (++requests % 2 === 0) break;
      const answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
      await connection.write(new TextEncoder().encode(answer));
    }
    connection.close();
  }

  return {
    origin: `http://127.0.0.1:${listener.addr.port}`,
    /** How many requests arrived whole. */
    get requests(): number {
      return requests;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await accepting;
      await Promise.all(served);
    },
  };
}
