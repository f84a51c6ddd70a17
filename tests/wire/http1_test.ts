import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AnswerHead,
  createChunkedDecoder,
  formatRequest,
  type Framing,
  readAnswerHead,
} from "../../src/wire/http1.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Fixed, so that every run tries the same chunks. */
const RUNS = { seed: 20261122, numRuns: 500 };

/** One byte for each character. */
function octets(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

const REQUEST = {
  method: "POST",
  url: new URL("https://x.example:8443/a b?q=1#part"),
  headers: {},
  content: undefined,
};

Deno.test("formatRequest() writes the line, the fields and the content, and nothing of its own", () => {
  const cases = [
    [{ ...REQUEST, method: "GET" }, "GET /a%20b?q=1 HTTP/1.1\r\nhost: x.example:8443\r\n\r\n"],
    [
      { ...REQUEST, headers: { "x-a": "1; \t\xe9", empty: "" }, content: octets("\xffbody") },
      "POST /a%20b?q=1 HTTP/1.1\r\nhost: x.example:8443\r\nx-a: 1; \t\xe9\r\nempty: \r\ncontent-length: 5\r\n\r\n\xffbody",
    ],
    // Without it an upstream may wait for content, or refuse (411).
    [
      { ...REQUEST, url: new URL("http://[::1]") },
      "POST / HTTP/1.1\r\nhost: [::1]\r\ncontent-length: 0\r\n\r\n",
    ],
  ] as const;
  for (const [request, expected] of cases) assert.equal(textOf(formatRequest(request)), expected);
});

Deno.test("formatRequest() refuses fields that would be other fields, or a second request", () => {
  const fields: readonly (readonly [string, string])[] = [
    ["a", "1\r\nb: 2"],
    ["a", "1\r\n\r\nGET /other HTTP/1.1\r\n"],
    ["a", "1\n"],
    ["a", "1\r"],
    ["a", "\0"],
    ["a", "\x7f"],
    // Its lower byte is a line end.
    ["a", "\u010a"],
    ["", "1"],
    ["a b", "1"],
    ["a:", "1"],
    ["a\r\nb", "1"],
    ["Host", "other.example"],
    ["content-length", "3"],
    ["Transfer-Encoding", "chunked"],
    ["connection", "close"],
  ];
  for (const [name, value] of fields) {
    assert.throws(() => formatRequest({ ...REQUEST, headers: { [name]: value } }), TypeError, name + value);
  }
});

function headOf(text: string): AnswerHead {
  const parsed = readAnswerHead(octets(text));
  assert.equal(parsed.kind, "head", text);
  assert.ok(parsed.kind === "head");
  return parsed.head;
}

const CHUNKED: Framing = { kind: "chunked" };
const UNTIL_CLOSE: Framing = { kind: "until_close" };
const length = (bytes: number): Framing => ({ kind: "length", bytes });

Deno.test("readAnswerHead() tells how long the content is, and whether the connection may be used again", () => {
  const heads: readonly (readonly [string, Framing, boolean])[] = [
    ["HTTP/1.1 200 OK\r\ncontent-length: 5", length(5), true],
    ["HTTP/1.1 200\r\nContent-Length:5", length(5), true],
    ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5", length(5), true],
    ["HTTP/1.1 200 OK\r\ncontent-length: 5 ,\t5", length(5), true],
    ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: Close", length(5), false],
    ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\nconnection: close", length(5), false],
    ["HTTP/1.0 200 OK\r\ncontent-length: 5", length(5), false],
    ["HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: Keep-Alive", length(5), true],
    ["HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive, close", length(5), false],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked", CHUNKED, true],
    ["HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\nconnection: keep-alive", CHUNKED, false],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5", CHUNKED, false],
    ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked", CHUNKED, false],
    ["HTTP/1.1 200 OK", UNTIL_CLOSE, false],
    ["HTTP/1.1 200 OK\r\nconnection: keep-alive", UNTIL_CLOSE, false],
    ["HTTP/1.1 204 No Content\r\ncontent-length: 5", length(0), true],
    ["HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked", length(0), true],
    ["HTTP/1.1 103 Early Hints\r\nlink: </a>", length(0), true],
  ];
  for (const [text, framing, reusable] of heads) {
    const head = headOf(`${text}\r\n\r\n`);
    assert.deepEqual([head.framing, head.reusable], [framing, reusable], text);
  }
});

Deno.test("readAnswerHead() takes for malformed what two readers could read in two ways", () => {
  const heads = [
    "",
    "HTTP/2 200 OK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 600 OK",
    "HTTP/1.1  200 OK",
    " HTTP/1.1 200 OK",
    "ICY 200 OK",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6",
    "HTTP/1.1 200 OK\r\ncontent-length: 5, 6",
    "HTTP/1.1 200 OK\r\ncontent-length: 5,",
    "HTTP/1.1 200 OK\r\ncontent-length:",
    "HTTP/1.1 200 OK\r\ncontent-length: +5",
    "HTTP/1.1 200 OK\r\ncontent-length: -5",
    "HTTP/1.1 200 OK\r\ncontent-length: 0x5",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\xa0",
    "HTTP/1.1 200 OK\r\ncontent-length: 5 5",
    "HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\x0b",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\xa0",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: identity",
    "HTTP/1.1 200 OK\r\nno colon",
    "HTTP/1.1 200 OK\r\n: no name",
    "HTTP/1.1 200 OK\r\nspace : 1",
    "HTTP/1.1 200 OK\r\na: 1\r\n folded",
    "HTTP/1.1 200 OK\r\n folded: first",
    "HTTP/1.1 200 OK\r\na: 1\nb: 2",
    "HTTP/1.1 200 OK\r\na: 1\n",
    "HTTP/1.1 200 OK\r\na: 1\r",
    "HTTP/1.1 200 OK\r\na: \0",
  ];
  for (const text of heads) {
    assert.equal(readAnswerHead(octets(`${text}\r\n\r\n`)).kind, "malformed", JSON.stringify(text));
  }
});

Deno.test("readAnswerHead() reads fields byte for byte, without the spaces around them", () => {
  const every = Array.from({ length: 128 }, (_, index) => String.fromCharCode(128 + index)).join("");
  const { headers, status } = headOf(
    `HTTP/1.1 429 ${every}\r\nX-Every:\t ${every} \r\nempty:\r\ntwice: 1\r\ntwice: 2\r\n\r\n`,
  );
  assert.equal(status, 429);
  assert.deepEqual([...headers], [["empty", ""], ["twice", "1, 2"], ["x-every", every]]);
});

Deno.test("readAnswerHead() waits for the whole head, wherever it is cut, and says where the content begins", () => {
  const head = "HTTP/1.1 200 OK\r\na: \r\ncontent-length: 4\r\n\r\n";
  const bytes = octets(`${head}\r\n\r\n`);
  for (let end = 0; end <= bytes.length; end++) {
    const parsed = readAnswerHead(bytes.subarray(0, end));
    if (end < head.length) assert.equal(parsed.kind, "incomplete", String(end));
    else assert.equal(parsed.kind === "head" && parsed.length, head.length);
  }
});

/** What a connection does: what is not decoded yet is given again, with the next piece behind it. */
function decodeAll(pieces: Iterable<Uint8Array>) {
  const decoder = createChunkedDecoder();
  let rest: number[] = [];
  const content: number[] = [];
  for (const piece of pieces) {
    const window = Uint8Array.from([...rest, ...piece]);
    const decoded = decoder.decode(window);
    if (decoded === undefined) return { kind: "malformed" as const };
    content.push(...window.subarray(decoded.contentStart, decoded.contentEnd));
    rest = [...window.subarray(decoded.consumed)];
  }
  return { kind: "decoded" as const, content: textOf(Uint8Array.from(content)), done: decoder.done, rest };
}

function* everyCut(bytes: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
}

Deno.test("decode() takes the chunked coding off, wherever it is cut", () => {
  const codings = [
    ["0\r\n\r\n", ""],
    ["5\r\nhello\r\n0\r\n\r\n", "hello"],
    ["5\r\nhello\r\n1\r\n,\r\n6\r\n world\r\n0\r\n\r\n", "hello, world"],
    ["A\r\n0123456789\r\n09\r\n\r\n\r\n0\r\n\r\n\r\n000\r\n\r\n", "0123456789\r\n\r\n0\r\n\r\n"],
    ['5;name="v;\xff";x\r\nhello\r\n0;last\r\n\r\n', "hello"],
    ["5 \t\r\nhello\r\n0 ; x\r\n\r\n", "hello"],
    ["5\r\nhello\r\n0\r\na: 1\r\nb: 2\r\n\r\n", "hello"],
    [`5;${"x".repeat(1000)}\r\nhello\r\n0\r\n${"t: 1\r\n".repeat(63)}\r\n`, "hello"],
  ] as const;
  for (const [coding, content] of codings) {
    for (const pieces of everyCut(octets(coding))) {
      assert.deepEqual(decodeAll(pieces), { kind: "decoded", content, done: true, rest: [] }, coding);
    }
  }
});

Deno.test("decode() refuses what is not the coding, wherever it is cut", () => {
  const codings = [
    "\r\n",
    "5\nhello\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhelloX\r\n0\r\n\r\n",
    "5\r\nhello\r\n\n",
    "-5\r\nhello\r\n",
    "0x5\r\nhello\r\n",
    " 5\r\nhello\r\n",
    "5 5\r\nhello\r\n",
    "g\r\n",
    ";x\r\n",
    "fffffffffffff\r\n",
    `5;${"x".repeat(1100)}`,
    `5\r\nhello${"x".repeat(1100)}`,
    `0\r\n${"t: 1\r\n".repeat(64)}\r\n`,
    `0\r\nt: ${"x".repeat(1100)}`,
    "0\r\na: 1\n\r\n",
  ];
  for (const coding of codings) {
    for (const pieces of everyCut(octets(coding))) assert.equal(decodeAll(pieces).kind, "malformed", coding);
  }
});

Deno.test("decode() is not done before the last byte of the coding, and takes none behind it", () => {
  const coding = octets("5;x\r\nhello\r\n3\r\nyou\r\n0\r\nt: 1\r\n\r\n");
  for (let end = 0; end < coding.length; end++) {
    const decoded = decodeAll([coding.subarray(0, end)]);
    assert.ok(decoded.kind === "decoded" && !decoded.done, String(end));
    assert.ok("helloyou".startsWith(decoded.content));
  }
  const behind = octets("HTTP/1.1 200 OK\r\n");
  const decoded = decodeAll([Uint8Array.from([...coding, ...behind])]);
  assert.deepEqual(decoded, { kind: "decoded", content: "helloyou", done: true, rest: [...behind] });
});

const chunk = fc.record({
  data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  upper: fc.boolean(),
  extension: fc.constantFrom("", ";a", ' ; a="1"'),
});

Deno.test("decode() gives back the bytes of random chunks in random pieces", () => {
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 12 }),
      fc.array(fc.nat({ max: 30 }), { maxLength: 60 }),
      fc.uint8Array({ maxLength: 20 }),
      (chunks, sizes, behind) => {
        const coding = chunks.map(({ data, upper, extension }) => {
          const size = data.length.toString(16);
          return `${upper ? size.toUpperCase() : size}${extension}\r\n${textOf(data)}\r\n`;
        }).join("") + "0\r\n\r\n";
        const bytes = octets(coding + textOf(behind));
        let at = 0;
        const pieces = sizes.map((size) => bytes.subarray(at, at += size));
        assert.deepEqual(decodeAll([...pieces, bytes.subarray(at)]), {
          kind: "decoded",
          content: chunks.map(({ data }) => textOf(data)).join(""),
          done: true,
          rest: [...behind],
        });
      },
    ),
    RUNS,
  );
});
