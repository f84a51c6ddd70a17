import assert from "node:assert/strict";
import fc from "fast-check";
import { type EventReply, translateEvents } from "../../src/translate/event_reply.ts";
import { learnRepetition } from "../../src/translate/repetition.ts";
import type { StreamTranslator } from "../../src/translate/relay_stream.ts";
import { createChatReply } from "../../src/translate/responses_to_chat.ts";
import { createCompletionReply } from "../../src/translate/responses_to_completions.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import { formatSseEvent } from "../../src/wire/sse.ts";
import { randomResponsesStream } from "./random_answer.ts";
import { bytesOf, randomResponsesEvents } from "./random_events.ts";

/** Fixed, so that every run tries the same streams. */
const RUNS = { seed: 20261122, numRuns: 1200 };
const LIMITS = { maxEventBytes: 1 << 20 };

const EVENT = 'data: {"type":"response.output_text.delta","delta":"Hi","obfuscation":"ab"}\n\n';
const ANSWER = 'data: {"model":"m\xfc","choices":[{"delta":{"content":"Hi"}}]}\n\n';

function repeated(run: string): { readonly text: string; readonly length: number } | undefined {
  const answer = learnRepetition(bytesOf(EVENT), ANSWER)?.repeat(bytesOf(run));
  return answer && { text: new TextDecoder().decode(answer.bytes), length: answer.length };
}

Deno.test("repeat() answers with the other text, as JSON.stringify writes it, and tells its length", () => {
  const texts = [
    "a",
    "two words",
    "Gr\xfc\xdfe",
    "\u{1f600}",
    "\ufeffx",
    "\x7f",
    "\u2028",
    "\\n",
    '\\"',
    "\\\\",
    "\\u00e9",
    "\\u0061",
    "\\/",
    "\\ud83d",
    "\\ud83d\\ude00",
  ];
  for (const text of texts) {
    const parsed: string = JSON.parse(`"${text}"`);
    assert.deepEqual(repeated(EVENT.replace("Hi", text)), {
      text: ANSWER.replace('"Hi"', () => JSON.stringify(parsed)),
      length: parsed.length,
    }, text);
  }
});

Deno.test("repeat() leaves to others what is empty or broken, or has another form", () => {
  const texts = ["", "\\x", "\\u12", "\\", "\t", "\\\n", "\ue0ff", "\ue0ed\ue0a0\ue080"];
  for (const text of texts) assert.equal(repeated(EVENT.replace("Hi", text)), undefined, text);
  assert.equal(repeated(EVENT + EVENT), undefined);
  assert.equal(repeated(EVENT.replace("output_text", "refusal")), undefined);
});

Deno.test("learnRepetition() learns nothing when it is not plain what was told for the text", () => {
  const cases = [
    [EVENT, ""],
    [EVENT, "data: {}\n\n"],
    [EVENT, ANSWER + ANSWER],
    [EVENT, ANSWER.slice(0, -1)],
    [EVENT, 'data: {"content":"Hi","model":"Hi"}\n\n'],
    [EVENT.replace("Hi", ""), 'data: {"content":""}\n\n'],
    [EVENT.replace("Hi", "\ue0ff"), 'data: {"content":"\ufffd"}\n\n'],
    ['data: {"delta":"\\x"}\n\n', ANSWER],
    [EVENT + EVENT, ANSWER],
  ] as const;
  for (const [event, answer] of cases) {
    assert.equal(learnRepetition(bytesOf(event), answer), undefined, event + answer);
  }
});

const OPTIONS = { id: "id", model: "m", nowS: 1, legacyFunctions: false, includeUsage: true };

const REPLIES = [
  ["Chat", (): EventReply => createChatReply(OPTIONS)],
  ["Chat with functions", (): EventReply => createChatReply({ ...OPTIONS, legacyFunctions: true })],
  ["Completions", (): EventReply => createCompletionReply(OPTIONS)],
] as const;

/** What comes out for these pieces and the end of the stream, and how it ended. */
function outcome(translator: StreamTranslator, pieces: Iterable<Uint8Array>) {
  const told: number[] = [];
  for (const piece of pieces) {
    const buffer = piece.slice();
    const out = translator.chunk(buffer);
    buffer.fill(0);
    told.push(...out ?? []);
    if (translator.ended === "failed" || translator.ended === "cut") break;
  }
  told.push(...translator.end() ?? []);
  return {
    told: new TextDecoder().decode(Uint8Array.from(told)),
    ended: translator.ended,
    usage: translator.usage,
  };
}

/** Each event in two pieces: an event is only repeated when it comes in one. */
function* inTwo(events: readonly Uint8Array[], cuts: readonly number[]): Generator<Uint8Array> {
  for (const [index, event] of events.entries()) {
    const at = 1 + (cuts[index % cuts.length] ?? 0) % (event.length - 1);
    yield event.subarray(0, at);
    yield event.subarray(at);
  }
}

/** A reply that counts the events that reach it. */
function counting(reply: EventReply, count: () => void): EventReply {
  const counted = Object.defineProperties({}, Object.getOwnPropertyDescriptors(reply)) as EventReply;
  return Object.defineProperty(counted, "push", {
    value: (event: JsonObject, type?: string): string => (count(), reply.push(event, type)),
  });
}

const cuts = fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 10 });

for (const [name, makeReply] of REPLIES) {
  const same = (events: readonly Uint8Array[], cuts: readonly number[], count: () => void): void => {
    const whole = outcome(translateEvents(counting(makeReply(), count), LIMITS), events);
    assert.deepEqual(whole, outcome(translateEvents(makeReply(), LIMITS), inTwo(events, cuts)));
  };

  Deno.test(`translateEvents() tells random events in ${name} as when each is translated by itself`, () => {
    let pushed = 0;
    let objects = 0;
    fc.assert(
      fc.property(randomResponsesEvents, cuts, (events, cuts) => {
        objects += events.length;
        same(events, cuts, () => pushed++);
      }),
      RUNS,
    );
    // Else nothing has been compared.
    assert.ok(pushed < objects, `${pushed} of ${objects}`);
  });

  Deno.test(`translateEvents() tells random answers in ${name} as when each event is translated by itself`, () => {
    fc.assert(
      fc.property(randomResponsesStream, cuts, ({ events }, cuts) => {
        same(events.map((event) => bytesOf(formatSseEvent(String(event["type"]), event))), cuts, () => {});
      }),
      { ...RUNS, numRuns: 400 },
    );
  });
}

Deno.test("translateEvents() translates the first events of a form, and repeats the others", () => {
  let pushed = 0;
  const translator = translateEvents(counting(createChatReply(OPTIONS), () => pushed++), LIMITS);
  for (let piece = 0; piece < 10; piece++) translator.chunk(bytesOf(EVENT.replace("Hi", `piece ${piece}`)));
  // The first one brings the role too.
  assert.equal(pushed, 2);
});

Deno.test("translateEvents() repeats no event whose beginning came before: it may be no event at all", () => {
  const translator = translateEvents(createChatReply(OPTIONS), LIMITS);
  for (const text of ["a", "b", "c"]) translator.chunk(bytesOf(EVENT.replace("Hi", text)));
  translator.chunk(bytesOf(": a comment with "));
  assert.equal(translator.chunk(bytesOf(EVENT)), undefined);
});

Deno.test("translateEvents() learns nothing from the second half of an event", () => {
  const translator = translateEvents(createChatReply(OPTIONS), LIMITS);
  translator.chunk(bytesOf(EVENT));
  const at = EVENT.indexOf('"delta"');
  translator.chunk(bytesOf(EVENT.slice(0, at)));
  assert.notEqual(translator.chunk(bytesOf(EVENT.slice(at))), undefined);
  // Alone it is a line that says nothing.
  assert.equal(translator.chunk(bytesOf(EVENT.slice(at))), undefined);
});

Deno.test("translateEvents() counts a repeated text: a whole text behind it brings only the rest", () => {
  const texts = ["a", "b", "\xfc", "\u{1f600}", "\\n", "\ufeff", "z"];
  const whole = texts.map((text): string => JSON.parse(`"${text}"`)).join("");
  const done = formatSseEvent("response.output_text.done", {
    type: "response.output_text.done",
    text: `${whole}rest`,
  });
  const translator = translateEvents(createChatReply(OPTIONS), LIMITS);
  for (const text of texts) translator.chunk(bytesOf(EVENT.replace("Hi", text)));
  const told = new TextDecoder().decode(translator.chunk(bytesOf(done)));
  assert.equal(JSON.parse(told.slice("data: ".length)).choices[0].delta.content, "rest");
});

Deno.test("translateEvents() tells a whole input once, however often it comes", () => {
  const translator = translateEvents(createChatReply(OPTIONS), LIMITS);
  const item = { type: "function_call", call_id: "c", name: "f" };
  translator.chunk(bytesOf(formatSseEvent("response.output_item.added", { output_index: 0, item })));
  const done = bytesOf(
    formatSseEvent("response.function_call_arguments.done", { output_index: 0, arguments: "{}" }),
  );
  assert.match(new TextDecoder().decode(translator.chunk(done)), /"arguments":"\{\}"/);
  assert.equal(translator.chunk(done), undefined);
});

Deno.test("translateEvents() goes on when a stream has had more forms than it learns", () => {
  const events = Array.from({ length: 700 }, (_, index) => EVENT.replace("}", `,"n":${index % 300}}`))
    .map((event, index) => bytesOf(event.replace("Hi", `piece ${index}`)));
  const told = outcome(translateEvents(createChatReply(OPTIONS), LIMITS), events);
  assert.deepEqual(told, outcome(translateEvents(createChatReply(OPTIONS), LIMITS), inTwo(events, [7])));
  assert.ok(told.told.includes("piece 699"));
});
