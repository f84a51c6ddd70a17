/**
 * HTTP/1.1 on the wire, from the client's side (RFC 9112): the request that is written, the head of the answer, and the
 * chunked coding. Bytes in, bytes out; the socket is somebody else's.
 *
 * Why it is here although every runtime has a client: in Deno 2.9 a relayed event costs two to three times as much through
 * `fetch` or `node:https` as the socket itself, and both repeat a POST by themselves (docs/operations.md, "Upstream
 * connections").
 *
 * @module
 */

/** How the length of an answer's content is known (RFC 9112 section 6.3). */
export type Framing =
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** The content ends with the connection: a cut cannot be told from an end. */
  | { readonly kind: "until_close" };

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
  readonly framing: Framing;
  /** Whether another request may follow on the connection once the content has been read. */
  readonly reusable: boolean;
}

/** What the bytes so far are. */
export type HeadParse =
  /** `length`: how many bytes the head has; the content follows. */
  | { readonly kind: "head"; readonly head: AnswerHead; readonly length: number }
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed" };

/** What a request is made of. */
export interface RequestParts {
  readonly method: string;
  readonly url: URL;
  /** Without `host`, `content-length`, `transfer-encoding` and `connection`, which follow from the rest. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for a request without content. */
  readonly content: Uint8Array<ArrayBuffer> | undefined;
}

const encoder = new TextEncoder();

/** Field names are tokens, and values have neither line ends nor other controls (RFC 9110 section 5). */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Fields that say where the request ends and what becomes of the connection: nobody else may set them. */
const OWN_FIELD = /^(?:host|connection|content-length|transfer-encoding)$/i;

/**
 * The bytes of a request. Throws a `TypeError` for a field that could not be one, or that follows from the rest: a value
 * with a line end in it, or a second length, would be a second request.
 */
export function formatRequest({ method, url, headers, content }: RequestParts): Uint8Array<ArrayBuffer> {
  let head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value) || OWN_FIELD.test(name)) {
      throw new TypeError("A header field of the request is not valid.");
    }
    head += `${name}: ${value}\r\n`;
  }
  // A POST without content says so (RFC 9110 section 8.6).
  head += content === undefined && method !== "POST"
    ? "\r\n"
    : `content-length: ${content?.length ?? 0}\r\n\r\n`;
  // One write for all: a head and content in two packets would wait for each other's acknowledgement.
  const bytes = new Uint8Array(head.length + (content?.length ?? 0));
  writeLatin1(head, bytes);
  if (content !== undefined) bytes.set(content, head.length);
  return bytes;
}

/** Field values are octets; UTF-8 would spell those above 127 with two. */
function writeLatin1(text: string, into: Uint8Array<ArrayBuffer>): void {
  const { read, written } = encoder.encodeInto(text, into);
  if (read === text.length && written === text.length) return;
  // Not all of it is ASCII.
  for (let index = 0; index < text.length; index++) into[index] = text.charCodeAt(index);
}

const windows1252 = new TextDecoder("latin1");

/** The bytes as characters, one for one. What the web calls latin1 has others for 0x80 to 0x9f, which UTF-8 is full of. */
function readLatin1(bytes: Uint8Array): string {
  const text = windows1252.decode(bytes);
  return /[\u0100-\uffff]/.test(text) ? String.fromCharCode(...bytes) : text;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: .*)?$/;

/** Reads the head at the beginning of `bytes`. A `1xx` is a head like every other one, without content. */
export function readAnswerHead(bytes: Uint8Array): HeadParse {
  const end = endOfHead(bytes);
  if (end === -1) return { kind: "incomplete" };
  const [statusLine = "", ...fields] = readLatin1(bytes.subarray(0, end)).split("\r\n");
  const status = STATUS_LINE.exec(statusLine);
  if (status === null) return malformed;
  const headers = new Headers();
  for (const field of fields) {
    const colon = field.indexOf(":");
    const name = field.slice(0, colon);
    // The spaces around it are taken off by `append`, and nothing else: a control there is no space.
    const value = field.slice(colon + 1);
    // A line that begins with a space continues the one before: obsolete, and a way to smuggle (RFC 9112 section 5.2).
    if (colon < 1 || !FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) return malformed;
    headers.append(name, value);
  }
  const head = frame(Number(status[2]), headers, status[1] === "1");
  return head === undefined ? malformed : { kind: "head", head, length: end + 4 };
}

const malformed: HeadParse = Object.freeze({ kind: "malformed" });

const CR = 13;
const LF = 10;

/** Where the empty line begins, or -1. */
function endOfHead(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(CR); at !== -1; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === LF && bytes[at + 2] === CR && bytes[at + 3] === LF) return at;
  }
  return -1;
}

/** RFC 9112 section 6.3, for answers to requests that are neither HEAD nor CONNECT. */
function frame(status: number, headers: Headers, persistent: boolean): AnswerHead | undefined {
  const options = (headers.get("connection") ?? "").toLowerCase();
  const mayStay = !options.includes("close") && (persistent || options.includes("keep-alive"));
  const answer = (framing: Framing, reusable: boolean): AnswerHead => ({
    status,
    headers,
    framing,
    reusable,
  });
  if (status < 200 || status === 204 || status === 304) return answer({ kind: "length", bytes: 0 }, mayStay);
  const coding = headers.get("transfer-encoding")?.toLowerCase();
  const announced = headers.get("content-length");
  if (coding !== undefined) {
    if (coding !== "chunked") return undefined;
    // Both at once is how requests are smuggled, and HTTP/1.0 has no coding: it counts, and the connection is not used again.
    return answer({ kind: "chunked" }, mayStay && persistent && announced === null);
  }
  if (announced === null) return answer({ kind: "until_close" }, false);
  const lengths = new Set(announced.split(/[\t ]*,[\t ]*/));
  const [length = ""] = lengths;
  if (lengths.size > 1 || !/^[0-9]{1,15}$/.test(length)) return undefined;
  return answer({ kind: "length", bytes: Number(length) }, mayStay);
}

/** How far decoding came. */
export interface Decoded {
  /** Where the content is in what was decoded, half-open. */
  readonly contentStart: number;
  readonly contentEnd: number;
  /** Bytes from here on are not decoded yet: they have to be given again, with more behind them. */
  readonly consumed: number;
}

/** Takes the chunked coding off (RFC 9112 section 7.1). */
export interface ChunkedDecoder {
  /**
   * Decodes `bytes` in place: the content of several chunks is moved together. Undefined when they are not in the coding.
   */
  decode(bytes: Uint8Array): Decoded | undefined;
  /** Whether the last chunk and the trailer have been read. */
  readonly done: boolean;
}

/** The longest line of the coding, chunk extensions included, bytes. Nobody in the field sends any. */
const maxLineBytes = 1024;

/** The most trailer lines. */
const maxTrailerLines = 64;

/** Makes a decoder. Trailer fields and chunk extensions are skipped. */
export function createChunkedDecoder(): ChunkedDecoder {
  let phase: "size" | "data" | "data_end" | "trailer" | "done" = "size";
  /** Of the open chunk, still to come. */
  let left = 0;
  let trailerLines = 0;

  /** Reads the line that ends at `end`; false when it is wrong. */
  function takeLine(bytes: Uint8Array, start: number, end: number): boolean {
    switch (phase) {
      case "size": {
        const size = readSize(bytes, start, end);
        if (size === undefined) return false;
        left = size;
        phase = size === 0 ? "trailer" : "data";
        return true;
      }
      case "data_end":
        phase = "size";
        return start === end;
      default:
        phase = start === end ? "done" : "trailer";
        return ++trailerLines <= maxTrailerLines;
    }
  }

  return {
    decode(bytes: Uint8Array): Decoded | undefined {
      let contentStart = 0;
      let contentEnd = 0;
      let at = 0;
      while (phase !== "done") {
        if (phase === "data") {
          const length = Math.min(left, bytes.length - at);
          // The first piece stays where it is: nearly always it is the only one.
          if (contentEnd === 0) contentStart = contentEnd = at;
          else bytes.copyWithin(contentEnd, at, at + length);
          contentEnd += length;
          at += length;
          left -= length;
          if (left > 0) break;
          phase = "data_end";
        }
        const end = bytes.indexOf(LF, at);
        if (end === -1) {
          if (bytes.length - at > maxLineBytes) return undefined;
          break;
        }
        if (end === at || bytes[end - 1] !== CR || end - at > maxLineBytes) return undefined;
        if (!takeLine(bytes, at, end - 1)) return undefined;
        at = end + 1;
      }
      return { contentStart, contentEnd, consumed: at };
    },
    get done(): boolean {
      return phase === "done";
    },
  };
}

const SEMICOLON = 59;

/** The hexadecimal size at the beginning of a line; undefined when there is none, or one beyond what is exact. */
function readSize(bytes: Uint8Array, start: number, end: number): number | undefined {
  let size = 0;
  let at = start;
  for (; at < end; at++) {
    const digit = hexDigit(bytes[at] ?? 0);
    if (digit === undefined) break;
    size = size * 16 + digit;
  }
  if (at === start || at - start > 12) return undefined;
  // What follows is an extension, or spaces that some servers pad with.
  while (at < end && (bytes[at] === 32 || bytes[at] === 9)) at++;
  return at === end || bytes[at] === SEMICOLON ? size : undefined;
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : undefined;
}
