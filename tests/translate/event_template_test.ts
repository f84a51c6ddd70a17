import assert from "node:assert/strict";
import fc from "fast-check";
import { learnTemplate } from "../../src/translate/event_template.ts";
import { type EventWatch, passThrough } from "../../src/translate/pass_through.ts";
import type { StreamTranslator } from "../../src/translate/relay_stream.ts";
import { watchChat } from "../../src/translate/watch_chat.ts";
import { watchResponses } from "../../src/translate/watch_responses.ts";
import { bytesOf, randomChatEvents, randomResponsesEvents } from "./random_events.ts";

/** Fixed, so that every run tries the same streams. */
const RUNS = { seed: 20261122, numRuns: 1000 };

const EXAMPLE =
  'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":5,"delta":"Hi","obfuscation":"ab"}\n\n';

function textFound(run: string, example = EXAMPLE): string | undefined {
  const bytes = bytesOf(run);
  const place = learnTemplate(bytesOf(example))?.match(bytes);
  return place && new TextDecoder().decode(bytes.subarray(place.start, place.end));
}

Deno.test("match() finds the text of an event that differs in text, number and padding only", () => {
  const runs = [
    [EXAMPLE, "Hi"],
    [EXAMPLE.replace("Hi", ""), ""],
    [EXAMPLE.replace("Hi", 'Gr\xfc\xdfe \\u00e9 \\\\ \\" {}[]:,'), 'Gr\xfc\xdfe \\u00e9 \\\\ \\" {}[]:,'],
    [EXAMPLE.replace("Hi", '\\",\\"delta\\":\\"b'), '\\",\\"delta\\":\\"b'],
    [EXAMPLE.replace(":5,", ":0,").replace('"ab"', '""'), "Hi"],
    [EXAMPLE.replace(":5,", ":1234567890,").replace('"ab"', '"abcdefghijk"'), "Hi"],
  ] as const;
  for (const [run, text] of runs) assert.equal(textFound(run), text, run);
});

Deno.test("match() finds nothing in an event of another form", () => {
  const runs = [
    "",
    "\n\n",
    EXAMPLE + EXAMPLE,
    EXAMPLE.slice(0, -1),
    `${EXAMPLE}\n`,
    `: note\n${EXAMPLE}`,
    `\ufeff${EXAMPLE}`,
    EXAMPLE.replaceAll("\n", "\r\n"),
    EXAMPLE.replaceAll("output_text", "refusal"),
    EXAMPLE.replace("event: response.output_text", "event: response.refusal"),
    EXAMPLE.replace('"Hi"', '"Hi","finish_reason":"stop"'),
    EXAMPLE.replace('"Hi"', '"Hi","delta":"b"'),
    EXAMPLE.replace('"Hi"', '"Hi'),
    EXAMPLE.replace('"Hi"', '"Hi\\"'),
    EXAMPLE.replace('"Hi"', "null"),
    EXAMPLE.replace("}\n\n", ',"usage":{"x":1}}\n\n'),
    // Control characters, which JSON has none of: a line end would begin another line, also behind a backslash.
    ...["\n", "\t", "\r", "\\\n", "a\\\nb", "\\\ndata: [DONE]\\\n"].map((text) =>
      EXAMPLE.replace("Hi", text)
    ),
    ...["", "-1", "1e5", "1.5", "007", "00", "x"].map((number) => EXAMPLE.replace(":5,", `:${number},`)),
    ...["\\n", "\\x", "\t"].map((padding) => EXAMPLE.replace('"ab"', `"${padding}"`)),
  ];
  for (const run of runs) assert.equal(textFound(run), undefined, JSON.stringify(run));
});

Deno.test("learnTemplate() learns nothing from what is not one event with one piece of text", () => {
  const examples = [
    "",
    "data: {}\n\n",
    EXAMPLE.slice(0, -1),
    EXAMPLE + EXAMPLE,
    `\n\n${EXAMPLE}`,
    `\ufeff${EXAMPLE}`,
    EXAMPLE.replaceAll("\n", "\r\n"),
    EXAMPLE.replace('"Hi"', '"Hi","content":"Hi"'),
    EXAMPLE.replace('"Hi"', '"Hi","delta":"Hi"'),
    EXAMPLE.replace('"Hi"', '"Hi","obfuscation":"x"'),
    'data: {"choices":[{"delta":{"content":"a"}},{"delta":{"content":"a"}}]}\n\n',
  ];
  for (const example of examples) assert.equal(learnTemplate(bytesOf(example)), undefined, example);
});

Deno.test("learnTemplate() learns from every kind of piece, whatever stands beside it", () => {
  const examples = [
    'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n',
    'data: {"choices":[{"delta":{"reasoning_content":"Hi"}}]}\n\n',
    'data: {"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"Hi"}}]}}]}\n\n',
    'data: {"model":"Gr\xfc\xdfe","delta":"Hi","sequence_number":-1}\n\n',
    ': \xfc\ndata: {"item":"\\"delta\\":\\"no\\"",\ndata: "delta":"Hi"}\n\n',
  ];
  for (const example of examples) {
    assert.equal(textFound(example.replace("Hi", "\u{1f600}\xfc"), example), "\u{1f600}\xfc", example);
    assert.equal(textFound(example.replace('"Hi"', "1"), example), undefined, example);
  }
});

Deno.test("match() takes an unfinished string for no end of a text", () => {
  for (const example of ['data: {"delta":"Hi\n\n', 'data: {"delta":"Hi\\\n\n', 'data: {"delta":"\\']) {
    for (const run of [EXAMPLE, 'data: {"delta":"Ho\n\n', 'data: {"delta":"x\\\n\ny\n\n']) {
      assert.equal(textFound(run, example), undefined);
    }
  }
});

const IDENTITY = { id: "resp_test", model: "asked-model", nowS: 1 };
const LIMITS = { maxEventBytes: 1 << 20 };

/** As many events as a stream is learnt from. They have no text, and say nothing. */
const LESSONS: readonly Uint8Array[] = Array(256).fill(bytesOf('data: {"n":1}\n\n'));

/** What comes out for these events, with the end of the stream or a failure behind them, and how it ended. */
function outcome(translator: StreamTranslator, events: readonly Uint8Array[]) {
  const told: number[][] = [];
  for (const event of events) {
    const buffer = event.slice();
    const out = translator.chunk(buffer);
    buffer.fill(0);
    told.push([...out ?? []]);
    if (translator.ended === "failed" || translator.ended === "cut") break;
  }
  told.push([...translator.end() ?? []]);
  return { told, ended: translator.ended, usage: translator.usage };
}

const WATCHES = [
  ["Chat", randomChatEvents, watchChat],
  [
    "Responses",
    randomResponsesEvents,
    (): EventWatch => watchResponses({ identity: IDENTITY, dropPrivateEvents: true, stableIds: false }),
  ],
] as const;

for (const [name, events, makeWatch] of WATCHES) {
  Deno.test(`passThrough() sends of random ${name} events what it sends when it learns no form`, () => {
    let scans = 0;
    let chunks = 0;
    fc.assert(
      fc.property(events, (events) => {
        const watch = makeWatch();
        const { scan } = watch;
        const counted = Object.defineProperties({}, Object.getOwnPropertyDescriptors(watch)) as EventWatch;
        Object.defineProperty(counted, "scan", { value: (text: string): boolean => (scans++, scan(text)) });
        chunks += events.length;
        const learning = outcome(passThrough(counted, LIMITS), events);
        const taught = passThrough(makeWatch(), LIMITS);
        for (const lesson of LESSONS) taught.chunk(lesson);
        assert.deepEqual(learning, outcome(taught, events));
      }),
      RUNS,
    );
    // Else nothing has been compared.
    assert.ok(scans < chunks, `${scans} of ${chunks}`);
  });
}

Deno.test("passThrough() does not scan an event again whose form it knows", () => {
  const scanned: string[] = [];
  const watch = { ...watchChat(), scan: (text: string): boolean => (scanned.push(text), false) };
  const translator = passThrough(watch, LIMITS);
  for (let piece = 0; piece < 10; piece++) translator.chunk(bytesOf(EXAMPLE.replace("Hi", `${piece}`)));
  assert.deepEqual(scanned, [EXAMPLE.replace("Hi", "0")]);
  // The last one of a form is seen before what follows it.
  translator.chunk(bytesOf("data: {}\n\n"));
  assert.deepEqual(scanned.slice(1), [EXAMPLE.replace("Hi", "9"), "data: {}\n\n"]);
});

Deno.test("passThrough() numbers a failure behind the latest event, also behind one that it did not scan", () => {
  const event = (number: number): string => EXAMPLE.replace(":5,", `:${number},`);
  const ends = [
    [[event(1), event(2), event(3)], 4],
    [[event(1), event(2), ": ping\n\n"], 3],
    [[event(1), event(2), event(3).slice(0, -2)], 4],
  ] as const;
  for (const [events, next] of ends) {
    const translator = passThrough(
      watchResponses({ identity: IDENTITY, dropPrivateEvents: false, stableIds: false }),
      LIMITS,
    );
    for (const text of events) translator.chunk(bytesOf(text));
    const failed = new TextDecoder().decode(translator.end());
    assert.equal(/"type":"error","sequence_number":(\d+)/.exec(failed)?.[1], String(next), failed);
  }
});
