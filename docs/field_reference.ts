/**
 * The reference of request fields: what becomes of each one at each upstream. It is put together from the tables that
 * the translators and the providers run on. `deno task docs` writes it into fields.md, and a test compares it.
 *
 * @module
 */
import { chatGptFields } from "../src/provider/chatgpt_request.ts";
import { chatGptDefaults } from "../src/provider/chatgpt_settings.ts";
import { copilotFields } from "../src/provider/copilot_request.ts";
import { grokFields } from "../src/provider/grok_request.ts";
import type { RequestFields } from "../src/provider/request_fields.ts";
import { CHAT_ANSWER_PARTS, CHAT_CONTENT_PARTS } from "../src/translate/chat_content.ts";
import { CHAT_FIELDS } from "../src/translate/chat_fields.ts";
import { CHAT_FORMATS } from "../src/translate/chat_format.ts";
import { CHAT_CALLS, CHAT_ROLES } from "../src/translate/chat_messages.ts";
import { CHAT_TOOL_CHOICES, CHAT_TOOL_FORMATS, CHAT_TOOLS } from "../src/translate/chat_tools.ts";
import { COMPLETIONS_FIELDS } from "../src/translate/completions_fields.ts";
import type { FieldTable } from "../src/translate/field_table.ts";
import type { FormTable } from "../src/translate/form_table.ts";
import { RESPONSES_ANSWER_PARTS, RESPONSES_CONTENT_PARTS } from "../src/translate/responses_content.ts";
import { RESPONSES_FIELDS } from "../src/translate/responses_fields.ts";
import { RESPONSES_ITEMS, RESPONSES_ROLES } from "../src/translate/responses_input.ts";
import {
  RESPONSES_FORMATS,
  RESPONSES_TOOL_CHOICES,
  RESPONSES_TOOLS,
} from "../src/translate/responses_tools.ts";

/** The way of a request to one upstream: the translations in their order, then what the upstream makes of the outcome. */
export interface Route {
  readonly upstream: string;
  readonly translations: readonly FieldTable[];
  readonly fields: RequestFields;
}

/** What the reference tells of one dialect that clients speak. */
export interface DialectReference {
  readonly title: string;
  /** The names of the fields, in the order of OpenAI's reference. */
  readonly fields: readonly string[];
  readonly routes: readonly Route[];
  /** Tables of members that have several forms, by the member's path; they count where a request is translated. */
  readonly forms: Readonly<Record<string, FormTable<unknown>>>;
}

const chatGpt = chatGptFields(chatGptDefaults);

/** The dialects, in the order of the page. */
export const dialects: Readonly<Record<"chat" | "responses" | "completions", DialectReference>> = Object
  .freeze({
    chat: {
      title: "Chat Completions: `POST /v1/chat/completions`",
      fields: Object.keys(CHAT_FIELDS),
      routes: [
        { upstream: "ChatGPT", translations: [CHAT_FIELDS], fields: chatGpt },
        { upstream: "Grok", translations: [], fields: grokFields.chat },
        { upstream: "Copilot, models that speak Chat", translations: [], fields: copilotFields.chat },
        {
          upstream: "Copilot, models that only speak Responses",
          translations: [CHAT_FIELDS],
          fields: copilotFields.responses,
        },
      ],
      forms: {
        "messages[].role": CHAT_ROLES,
        "messages[].content[].type": CHAT_CONTENT_PARTS,
        "messages[].content[].type of the assistant": CHAT_ANSWER_PARTS,
        "messages[].tool_calls[].type": CHAT_CALLS,
        "response_format.type": CHAT_FORMATS,
        "tool_choice.type": CHAT_TOOL_CHOICES,
        "tools[].type": CHAT_TOOLS,
        "tools[].custom.format.type": CHAT_TOOL_FORMATS,
      },
    },
    responses: {
      title: "Responses: `POST /v1/responses`",
      fields: Object.keys(RESPONSES_FIELDS),
      routes: [
        { upstream: "ChatGPT", translations: [], fields: chatGpt },
        { upstream: "Grok", translations: [], fields: grokFields.responses },
        {
          upstream: "Copilot, models that speak Responses",
          translations: [],
          fields: copilotFields.responses,
        },
        {
          upstream: "Copilot, models that only speak Chat",
          translations: [RESPONSES_FIELDS],
          fields: copilotFields.chat,
        },
      ],
      forms: {
        "input[].type": RESPONSES_ITEMS,
        "input[].role": RESPONSES_ROLES,
        "input[].content[].type": RESPONSES_CONTENT_PARTS,
        "input[].content[].type of the assistant": RESPONSES_ANSWER_PARTS,
        "text.format.type": RESPONSES_FORMATS,
        "tool_choice.type": RESPONSES_TOOL_CHOICES,
        "tools[].type": RESPONSES_TOOLS,
      },
    },
    completions: {
      title: "Legacy Completions: `POST /v1/completions`",
      fields: Object.keys(COMPLETIONS_FIELDS),
      routes: [
        { upstream: "ChatGPT", translations: [COMPLETIONS_FIELDS], fields: chatGpt },
        { upstream: "Grok", translations: [COMPLETIONS_FIELDS], fields: grokFields.responses },
        {
          upstream: "Copilot, models that speak Responses",
          translations: [COMPLETIONS_FIELDS],
          fields: copilotFields.responses,
        },
        {
          upstream: "Copilot, models that only speak Chat",
          translations: [COMPLETIONS_FIELDS, RESPONSES_FIELDS],
          fields: copilotFields.chat,
        },
      ],
      forms: {},
    },
  });

/** What becomes of a field on a route. */
export interface Outcome {
  readonly fate: "carried" | "relay" | "refused" | "dropped";
  /** The name under which the field goes out, when it is another one. */
  readonly target: string | undefined;
  readonly notes: readonly string[];
}

/** Follows a field through the tables of a route. Throws when a table has no row for it: that is a hole. */
export function outcomeOf(field: string, { translations, fields, upstream }: Route): Outcome {
  const [table, ...rest] = translations;
  if (table === undefined) {
    const row = rowOf(fields, field, upstream);
    return {
      fate: row.fate === "sent" || row.fate === "changed" ? "carried" : row.fate,
      target: undefined,
      notes: [row.note].filter((note) => note !== ""),
    };
  }
  const rule = rowOf(table, field, upstream);
  const notes = [rule.note].filter((note) => note !== "");
  if (rule.fate === "reply") return { fate: "relay", target: undefined, notes };
  if (rule.fate !== "carried" || rule.target === undefined) {
    return { fate: rule.fate, target: undefined, notes };
  }
  const [name = ""] = rule.target.split(".");
  const further = outcomeOf(name, { translations: rest, fields, upstream });
  return further.fate === "carried"
    ? { fate: "carried", target: further.target ?? rule.target, notes: [...notes, ...further.notes] }
    : further;
}

/** The page. */
export const page = new URL("fields.md", import.meta.url);

/** The text of the page. */
export function renderPage(): string {
  return [introduction, ...Object.values(dialects).map(renderDialect)].join("\n");
}

const introduction = `# Request fields

What becomes of each request field of OpenAI's API reference, for each way that a request can take. This page is made
from the tables that the relay runs on (\`deno task docs\`).

- **carried**: it reaches the model, under another name where one is given.
- **relay**: the relay honours it itself; the upstream is not told.
- **dropped**: the upstream has no place for it. Its name is in the response header \`x-authai-ignored-parameters\`. A value that
  asks for nothing (null, the default, an empty object) is dropped without being named.
- **refused**: answered with status 400, type \`invalid_request_error\`, the field's name in \`param\`, and code
  \`unsupported_parameter\` or \`unsupported_value\`. Values that ask for nothing are let through.

A field that is not listed is dropped and named where the request is translated. Where the upstream speaks the client's
own dialect it is sent as it is: the upstream may know more fields than this page, and refuses others in its own words.
The same holds for values and for members of objects. A translated message keeps what its role is known to have; its
other members (such as \`name\`) are dropped and named as \`messages[].name\`.
`;

function renderDialect({ title, fields, routes, forms }: DialectReference): string {
  const head = ["Field", ...routes.map(({ upstream }) => upstream)];
  const rows = fields.map((field) => [
    `\`${field}\``,
    ...routes.map((route) => renderOutcome(field, outcomeOf(field, route))),
  ]);
  const formRows = Object.entries(forms).flatMap(([path, table]) => {
    const words = Map.groupBy(Object.keys(table), (word) => `${table[word]?.fate}: ${table[word]?.note}`);
    return [...words].map((
      [outcome, alike],
    ) => [`\`${path}\``, alike.map((word) => `\`${word}\``).join(", "), outcome]);
  });
  const formText = formRows.length === 0
    ? ""
    : `\nForms of members, where the request is translated:\n\n${
      renderTable(["Member", "Form", "What becomes of it"], formRows)
    }`;
  return `## ${title}\n\n${renderTable(head, rows)}${formText}`;
}

function renderOutcome(field: string, { fate, target, notes }: Outcome): string {
  const as = target === undefined || target === field ? "" : ` as \`${target}\``;
  return `${fate}${as}${notes.length === 0 ? "" : `: ${notes.join("; ")}`}`;
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`);
  return `<!-- deno-fmt-ignore-start -->\n\n${lines.join("")}\n<!-- deno-fmt-ignore-end -->\n`;
}

function rowOf<Row>(table: Readonly<Record<string, Row>>, field: string, upstream: string): Row {
  const row = Object.hasOwn(table, field) ? table[field] : undefined;
  if (row === undefined) throw new Error(`The tables of ${upstream} have no row for ${field}.`);
  return row;
}

if (import.meta.main) await Deno.writeTextFile(page, renderPage());
