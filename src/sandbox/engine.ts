/**
 * The simulated models: a pure function from what was asked to what is answered. No clock and no randomness, so that the
 * same request gives the same answer, ids included, in every run.
 *
 * What a text can ask for, by phrases in the last user message (case does not matter):
 *
 * | phrase | answer |
 * |---|---|
 * | `please refuse` | a refusal |
 * | `please be filtered` | half a sentence, finish `content_filter` |
 * | `please be cut off` | half a sentence, finish `length` |
 * | `count to N` | the numbers 1 to N, one piece each (N at most 100,000) |
 * | `your instructions` | the system and developer texts that the model was given |
 * | the name of an offered tool | a call of it; two names and parallel calls allowed: both at once |
 * | a tool's name, `with` and JSON | a call with just that: an object for a function, a string for a custom tool |
 * | `after that` between two names | the second call once the result of the first is there |
 * | `announce it` and a tool's name | a sentence of text before the call |
 *
 * Rules in the order in which they are tried: refusal, content filter, tools (a forced choice always calls), summary of
 * tool results, JSON schema, cut off, count, instructions, echo. Last, `maxOutputTokens` cuts the text.
 *
 * Usage: four UTF-16 code units of input are one token, an image is 85; nothing counts as cached here (prompt_cache.ts
 * knows what is); each streamed piece (text, refusal, argument fragment, reasoning) is one output token.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type AskedCall, askedCalls } from "./asked_calls.ts";
import type { Plan, PlanTurn, Turn } from "./contract.ts";
import { schemaInstance } from "./schema_instance.ts";

const MAX_COUNT = 100_000;
const MAX_ECHOED_CHARACTERS = 400;
const FRAGMENT_CHARACTERS = 8;
const TOKENS_PER_IMAGE = 85;

/** UTF-16 code units of input that count as one token. */
export const UNITS_PER_TOKEN = 4;

/** What an answer consists of before usage and digest are added. */
type Answer = Pick<Plan, "text" | "refusal" | "toolCalls" | "finish">;

const EMPTY: Answer = Object.freeze({ text: [], refusal: [], toolCalls: [], finish: "stop" });

/** Plans the answer to `turn`. Never throws. */
export const planTurn: PlanTurn = (turn: Turn): Plan => {
  const reasoning = turn.reasoning ? reasoningPieces(turn) : [];
  const answer = limited(planAnswer(turn), turn.maxOutputTokens, reasoning.length);
  const inputTokens = countInputTokens(turn);
  const outputTokens = [answer.text, answer.refusal, ...answer.toolCalls.map((call) => call.fragments)]
    .reduce((sum, pieces) => sum + pieces.length, reasoning.length);
  return {
    ...answer,
    reasoning,
    usage: {
      inputTokens,
      cachedTokens: 0,
      outputTokens,
      reasoningTokens: reasoning.length,
    },
    digest: createHash("sha256").update(JSON.stringify(turn)).digest("hex"),
  };
};

function planAnswer(turn: Turn): Answer {
  const asked = lastUserText(turn);
  const wish = asked.toLowerCase();
  if (wish.includes("please refuse")) {
    return { ...EMPTY, refusal: pieces("I am sorry, but I cannot help with that.") };
  }
  if (wish.includes("please be filtered")) {
    return { ...EMPTY, text: pieces("This answer was about to"), finish: "content_filter" };
  }
  const toolCalls = planToolCalls(turn, asked);
  if (toolCalls.length > 0) {
    const names = toolCalls.map((call) => call.name).join(" and ");
    return { ...EMPTY, text: wish.includes("announce it") ? pieces(`I will call ${names}.`) : [], toolCalls };
  }
  if (turn.schema !== undefined && turn.schema !== null) {
    return { ...EMPTY, text: fragments(JSON.stringify(schemaInstance(turn.schema))) };
  }
  if (turn.toolResults.length > 0) {
    const results = turn.toolResults.map((result) => `${result.name} said: ${clipped(result.output)}`);
    return { ...EMPTY, text: pieces(results.join("\n")) };
  }
  if (wish.includes("please be cut off")) {
    return { ...EMPTY, text: pieces("This answer is longer than"), finish: "length" };
  }
  const count = /\bcount to (\d{1,9})\b/.exec(wish)?.[1];
  if (count !== undefined) {
    const length = Math.min(Number(count), MAX_COUNT);
    return { ...EMPTY, text: Array.from({ length }, (_, index) => index === 0 ? "1" : ` ${index + 1}`) };
  }
  if (wish.includes("your instructions")) {
    return { ...EMPTY, text: pieces(`My instructions are: ${clipped(turn.instructions.join("\n"))}`) };
  }
  return { ...EMPTY, text: pieces(echo(turn, asked)) };
}

/** The default answer: proves to the reader that text, model and images arrived. */
function echo(turn: Turn, asked: string): string {
  const images = turn.messages.findLast((message) => message.role === "user")?.images ?? 0;
  const seen = images === 0 ? "" : ` I see ${images} ${images === 1 ? "image" : "images"}.`;
  return `Hello from ${turn.model}! You said: "${clipped(asked)}".${seen}`;
}

function planToolCalls(turn: Turn, asked: string): Plan["toolCalls"] {
  const { toolChoice, tools } = turn;
  const [first] = tools;
  if (toolChoice === "none" || first === undefined) return [];
  const steps = askedCalls(asked, tools);
  const wanted = typeof toolChoice === "object"
    ? forced(toolChoice.name, tools, steps)
    : nextStep(steps, turn);
  const calls = wanted.length === 0 && toolChoice === "required"
    ? steps[0] ?? [{ tool: first, given: undefined }]
    : wanted;
  return (turn.parallelToolCalls ? calls : calls.slice(0, 1)).map(({ tool, given }) =>
    tool.freeform === true
      ? { name: tool.name, freeform: true, fragments: fragments(String(given ?? "sample input")) }
      : { name: tool.name, fragments: fragments(JSON.stringify(given ?? argumentsFor(tool.parameters))) }
  );
}

/** The step that is due. The text still names the tools after their results, so the results tell what is done. */
function nextStep(steps: readonly (readonly AskedCall[])[], turn: Turn): readonly AskedCall[] {
  let done = turn.toolResults.length;
  for (const step of steps) {
    if (done <= 0) return step;
    done -= turn.parallelToolCalls ? step.length : 1;
  }
  return [];
}

function forced(
  name: string,
  tools: Turn["tools"],
  steps: readonly (readonly AskedCall[])[],
): readonly AskedCall[] {
  return tools.filter((tool) => tool.name === name)
    .map((tool) => steps.flat().find((call) => call.tool === tool) ?? { tool, given: undefined });
}

/** Arguments are always an object, also for a tool that declares no parameters. */
function argumentsFor(parameters: unknown): unknown {
  const made = parameters === undefined || parameters === null ? {} : schemaInstance(parameters);
  return typeof made === "object" && made !== null ? made : {};
}

function reasoningPieces(turn: Turn): readonly string[] {
  const tools = turn.tools.length === 0 ? "no tools" : `${turn.tools.length} tools`;
  return pieces(`**Reading the question** There are ${turn.messages.length} messages and ${tools}.`);
}

/** Cuts text to the output budget that reasoning has left. Calls and refusals stay whole. */
function limited(answer: Answer, maxOutputTokens: number | undefined, spent: number): Answer {
  const budget = Math.max(0, (maxOutputTokens ?? Infinity) - spent);
  if (answer.text.length <= budget) return answer;
  return { ...answer, text: answer.text.slice(0, budget), toolCalls: [], finish: "length" };
}

/** The texts that the model reads, in the order in which it reads them: what stays the same over turns comes first. */
export function promptTexts(turn: Turn): readonly string[] {
  return [
    ...turn.tools.map((tool) => tool.name + JSON.stringify(tool.parameters ?? null)),
    ...turn.instructions,
    ...turn.messages.map((message) => message.text),
    ...turn.toolResults.map((result) => result.output),
  ];
}

function countInputTokens(turn: Turn): number {
  const images = turn.messages.reduce((sum, message) => sum + message.images, 0);
  const units = promptTexts(turn).reduce((sum, text) => sum + text.length, 0);
  return Math.max(1, Math.ceil(units / UNITS_PER_TOKEN)) + images * TOKENS_PER_IMAGE;
}

function lastUserText(turn: Turn): string {
  return turn.messages.findLast((message) => message.role === "user")?.text ?? "";
}

/** The first characters of a text that is echoed; whole code points, so that no surrogate is torn. */
function clipped(text: string): string {
  const characters = [...text.slice(0, MAX_ECHOED_CHARACTERS * 2)];
  return characters.length <= MAX_ECHOED_CHARACTERS && text.length <= MAX_ECHOED_CHARACTERS * 2
    ? text
    : `${characters.slice(0, MAX_ECHOED_CHARACTERS).join("")}...`;
}

/** Words with the space after them; they join to the text. */
function pieces(text: string): readonly string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/** Runs of a few characters that may fall inside a word, as models stream JSON; they join to the text. */
function fragments(text: string): readonly string[] {
  const characters = [...text];
  return Array.from(
    { length: Math.ceil(characters.length / FRAGMENT_CHARACTERS) },
    (_, index) => characters.slice(index * FRAGMENT_CHARACTERS, (index + 1) * FRAGMENT_CHARACTERS).join(""),
  );
}
