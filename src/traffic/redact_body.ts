/**
 * What may be written of a body when the operator has asked for bodies: the words of people and models, and no credential.
 *
 * A credential is known by the name of its member, or by its looks. One that is neither, or that a model sends piece by piece in
 * the events of a stream, is written: bodies are for debugging, and the setting says so.
 *
 * @module
 */
import { isObject, parseObject } from "../wire/json.ts";
import { withoutSecrets } from "../wire/safe_text.ts";

/** Larger bodies are not written, bytes. */
export const maxLoggedBodyBytes = 256 * 1024;

/**
 * The text of a body: of JSON, and of events whose data is JSON, each member on its own; of anything else what looks like no
 * credential. Uploads and pictures in it are told by their size.
 */
export function redactBody(bytes: Uint8Array): string {
  if (bytes.length > maxLoggedBodyBytes) return tooManyBytes;
  const text = new TextDecoder().decode(bytes);
  const document = parseObject(text);
  if (document !== undefined) return JSON.stringify(redactValue(document, 0));
  return text.split("\n").map(redactLine).join("\n");
}

/** What is written in place of a body of more than {@linkcode maxLoggedBodyBytes}. */
export const tooManyBytes = `[more than ${maxLoggedBodyBytes} bytes]`;

/** Members whose value is a credential, in lower case and without `-` and `_`. */
const secretMembers: ReadonlySet<string> = new Set([
  "authorization",
  "proxyauthorization",
  "cookie",
  "setcookie",
  "xapikey",
  "apikey",
  "accesstoken",
  "refreshtoken",
  "idtoken",
  "bearertoken",
  "relaytoken",
  "sessiontoken",
  "jwt",
  "clientsecret",
  "codeverifier",
  "devicecode",
  "deviceauthid",
  "password",
  "privatekey",
]);

const removed = "[removed]";

/** What is nested deeper than this is left out: a body must not be able to exhaust the stack. */
const maxDepth = 48;

/** `?token=...` in an address, whatever the value looks like. */
const secretQuery =
  /([?&](?:access_token|refresh_token|id_token|token|api_?key|key|code|secret|client_secret|signature|sig|password)=)[^&\s"'#]+/gi;

/** Bytes in writing, with the media type where it is told. */
const dataUrl = /data:([\w.+-]+\/[\w.+-]+)?(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/=_-]+)/g;

/** Bytes in writing without any word around them. */
const bareBytes = /^[A-Za-z0-9+/_-]{200,}={0,2}$/;

function redactLine(line: string): string {
  const data = /^data: ?(\{.*)$/.exec(line)?.[1];
  const event = data === undefined ? undefined : parseObject(data);
  return event === undefined ? redactText(line) : `data: ${JSON.stringify(redactValue(event, 0))}`;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactString(value, depth);
  if (depth >= maxDepth && typeof value === "object" && value !== null) return "[nested too deep]";
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const secret = secretMembers.has(name.toLowerCase().replace(/[-_]/g, ""));
      return [redactText(name), secret && member !== null ? removed : redactValue(member, depth + 1)];
    }),
  );
}

/** The arguments of a tool call are JSON in a string. */
function redactString(text: string, depth: number): string {
  const nested = text.startsWith("{") && depth < maxDepth ? parseObject(text) : undefined;
  return nested === undefined ? redactText(text) : JSON.stringify(redactValue(nested, depth + 1));
}

function redactText(text: string): string {
  if (bareBytes.test(text)) return `[${text.length} characters]`;
  const short = text.replace(
    dataUrl,
    (_, type: string | undefined, data: string) =>
      `[${type ?? "data"}, ${Math.floor(data.length * 3 / 4)} bytes]`,
  );
  return withoutSecrets(short.replace(secretQuery, `$1${removed}`), []);
}
