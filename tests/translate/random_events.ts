/**
 * Random event streams of both dialects in which events repeat each other with another text, as upstreams write them and as
 * they should not: odd escapes, broken JSON and UTF-8, members twice, numbers of every spelling.
 */
import fc from "fast-check";

/** What differs between two events of one form. */
interface Slots {
  /** The inside of a JSON string, possibly a broken one. */
  readonly text: string;
  readonly number: string;
  readonly padding: string;
}

type Form = (slots: Slots) => string;

/** Stands for a byte that is not UTF-8; see {@linkcode bytesOf}. */
const octet = (byte: number): string => String.fromCharCode(0xe000 + byte);

const ODD_TEXTS = [
  "",
  "a",
  // These stand elsewhere in events and answers.
  "m",
  "error",
  "assistant",
  "chat.completion.chunk",
  "[DONE]",
  "response.output_text.delta",
  "\\u00e9",
  "\\u0061",
  "\\/",
  "\\ud83d",
  "\\ude00",
  "\\ud83d\\ude00",
  "\\n\\n",
  '\\"',
  "\\\\",
  '\\",\\"delta\\":\\"b',
  "\x7f",
  "\u2028",
  "\ufeff",
  "\ufeffa",
  // Not JSON.
  "\\",
  "a\\",
  "\\x",
  "\\u12",
  "\t",
  "\\\n",
  "a\\\nb\\\nc",
  "\n",
  '","delta":"b',
  // Not UTF-8.
  octet(0xff),
  `a${octet(0xc3)}`,
  `${octet(0xed)}${octet(0xa0)}${octet(0x80)}`,
];

const slots: fc.Arbitrary<Slots> = fc.record({
  text: fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).map(inside) },
    { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 4 }).map(inside) },
    { weight: 3, arbitrary: fc.constantFrom(...ODD_TEXTS) },
  ),
  number: fc.oneof(
    { weight: 8, arbitrary: fc.nat().map(String) },
    { weight: 1, arbitrary: fc.constantFrom("", "-1", "1e5", "1.5", "007", "0", "x") },
  ),
  padding: fc.oneof(
    { weight: 8, arbitrary: fc.stringMatching(/^[a-zA-Z0-9]{0,8}$/) },
    { weight: 1, arbitrary: fc.constantFrom("\\n", "\\x", '\\"', "\xe9", octet(0xff), "\t") },
  ),
});

function inside(text: string): string {
  // The private characters that stand for bytes are left out.
  return JSON.stringify(text.replace(/[\ue000-\ue0ff]/g, "")).slice(1, -1);
}

function named(type: string, members: string): string {
  return `event: ${type}\ndata: {"type":"${type}",${members}}\n\n`;
}

const delta = (type: string, place: string): Form => ({ text, number, padding }) =>
  named(type, `"sequence_number":${number},${place},"delta":"${text}","obfuscation":"${padding}"`);

const RESPONSES_FORMS: readonly Form[] = [
  delta("response.output_text.delta", '"item_id":"msg_1","output_index":0,"content_index":0,"logprobs":[]'),
  delta("response.output_text.delta", '"output_index":0,"content_index":1'),
  delta("response.output_text.delta", '"output_index":3,"content_index":0'),
  delta("response.refusal.delta", '"output_index":0,"content_index":2'),
  delta("response.reasoning_summary_text.delta", '"output_index":1,"summary_index":0'),
  delta("response.reasoning_text.delta", '"output_index":1,"content_index":0'),
  delta("response.function_call_arguments.delta", '"output_index":2'),
  delta("response.unknown.delta", '"output_index":2'),
  delta("response.output_text.done", '"output_index":0,"content_index":0,"text":"a"'),
  ({ text, number }) => named("response.output_text.delta", `"delta":"${text}","sequence_number":${number}`),
  ({ text }) => `data: {"type":"response.output_text.delta","delta":"${text}"}\n\n`,
  ({ text }) => `data: {"type":"response.output_text.delta","delta":"${text}","delta":"a"}\n\n`,
  ({ text }) => `data: {"type":"response.output_text.delta","content":"${text}","delta":"a"}\n\n`,
  ({ text }) => `: note\nid: 1\ndata: {"type":"response.output_text.delta",\ndata: "delta":"${text}"}\n\n`,
  ({ text }) => `\ufeffdata: {"type":"response.output_text.delta","delta":"${text}"}\n\n`,
  ({ text }) => named("response.output_text.done", `"output_index":0,"content_index":0,"text":"${text}"`),
  ({ text }) => named("response.function_call_arguments.done", `"output_index":2,"arguments":"${text}"`),
  ({ text, number }) =>
    named(
      "response.output_item.done",
      `"sequence_number":${number},"output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"${text}"}]}`,
    ),
  ({ number }) => named("response.in_progress", `"sequence_number":${number},"response":{"id":"resp_1"}`),
  () =>
    named(
      "response.output_item.added",
      '"output_index":2,"item":{"type":"function_call","call_id":"c","name":"f"}',
    ),
  () =>
    named(
      "response.output_text.annotation.added",
      '"output_index":0,"content_index":0,"annotation":{"type":"url_citation","url":"u","title":"t","start_index":0,"end_index":1}',
    ),
  () => named("codex.rate_limits", '"delta":"a"'),
  () => ": ping\n\n",
  () => named("keepalive", '"sequence_number":5'),
];

const RESPONSES_ENDS: readonly Form[] = [
  () => "",
  () =>
    named(
      "response.completed",
      '"response":{"status":"completed","usage":{"input_tokens":3,"output_tokens":4}}',
    ),
  ({ number }) =>
    named(
      "response.failed",
      `"sequence_number":${number},"response":{"status":"failed","error":{"code":"c"}}`,
    ),
  ({ text }) => named("error", `"message":"${text}","delta":"a"`),
  ({ text, number }) =>
    `data: {"type":"response.output_text.delta","sequence_number":${number},"delta":"${text}"}`,
];

const chunk = (members: string): string => `data: {"id":"c","object":"chat.completion.chunk",${members}}\n\n`;
const choice = (delta: string, finish = "null"): string =>
  `"choices":[{"index":0,"delta":{${delta}},"finish_reason":${finish}}]`;

const CHAT_FORMS: readonly Form[] = [
  ({ text }) => chunk(choice(`"content":"${text}"`)),
  ({ text, padding }) => chunk(`${choice(`"content":"${text}"`)},"obfuscation":"${padding}"`),
  ({ text }) => chunk(choice(`"role":"assistant","content":"${text}"`)),
  ({ text }) => chunk(choice(`"reasoning_content":"${text}","content":""`)),
  ({ text }) => chunk(choice(`"reasoning_content":"${text}"`)),
  ({ text }) => chunk(choice(`"tool_calls":[{"index":0,"function":{"arguments":"${text}"}}]`)),
  ({ text }) => chunk(choice(`"content":"${text}"`, '"stop"')),
  ({ text }) => chunk(`${choice(`"content":"${text}"`)},"usage":{"prompt_tokens":1,"completion_tokens":2}`),
  ({ text, number }) =>
    chunk(`${choice(`"content":"${text}"`)},"usage":{"prompt_tokens":${number},"completion_tokens":2}`),
  ({ text }) => chunk(`"content":"${text}"`),
  ({ text }) => `\ufeff${chunk(choice(`"content":"${text}"`))}`,
  ({ text }) => `data: {"content":"${text}",\ndata: "n":1}\n\n`,
  () => ": ping\n\n",
];

const CHAT_ENDS: readonly Form[] = [
  () => "",
  () => "data: [DONE]\n\n",
  ({ text }) => `data: {"error":{"message":"${text}"}}\n\n`,
  ({ text }) => `data: {"detail":"${text}","content":"a"}\n\n`,
  () => chunk(choice("", '"error"')),
  ({ text }) => chunk(choice(`"content":"${text}"`)).slice(0, -2),
];

/** A stream in events, each as it came: most of them repeat the form of the one before. */
function streamIn(forms: readonly Form[], ends: readonly Form[]): fc.Arbitrary<Uint8Array<ArrayBuffer>[]> {
  const run = fc.record({
    form: fc.constantFrom(...forms),
    each: fc.array(slots, { minLength: 1, maxLength: 6 }),
  });
  return fc.record({
    runs: fc.array(run, { minLength: 1, maxLength: 6 }),
    end: fc.record({ form: fc.constantFrom(...ends), slots }),
  }).map(({ runs, end }) =>
    [...runs.flatMap(({ form, each }) => each.map(form)), end.form(end.slots)]
      .filter((event) => event !== "")
      .map(bytesOf)
  );
}

/** UTF-8, but for the characters that stand for a byte. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xe000 && code <= 0xe0ff) bytes.push(code - 0xe000);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** Events of a Responses stream. */
export const randomResponsesEvents: fc.Arbitrary<Uint8Array<ArrayBuffer>[]> = streamIn(
  RESPONSES_FORMS,
  RESPONSES_ENDS,
);

/** Events of a Chat Completions stream. */
export const randomChatEvents: fc.Arbitrary<Uint8Array<ArrayBuffer>[]> = streamIn(CHAT_FORMS, CHAT_ENDS);
