/**
 * Making a Responses request fit for the ChatGPT backend, which takes a narrower dialect than OpenAI's public API
 * (chatgpt-codex.md sections 3.3 to 3.7 and 9).
 *
 * @module
 */
import { isObject, type JsonObject, objectOrEmpty } from "../wire/json.ts";
import { prepareChatGptInput } from "./chatgpt_input.ts";
import type { ChatGptSettings } from "./chatgpt_settings.ts";
import {
  changed,
  droppedField,
  type FittedField,
  isSet,
  noStorage,
  refusedField,
  type RequestField,
  type RequestFields,
  sent,
  set,
  statefulFields,
} from "./request_fields.ts";

/** What the encrypted reasoning is asked for with: without it a later turn cannot carry its reasoning. */
const encryptedReasoning = "reasoning.encrypted_content";

/** Older names of the search tool, which the backend refuses (section 3.5). */
const searchAliases: ReadonlySet<unknown> = new Set(["web_search_preview", "web_search_preview_2025_03_11"]);

/** Efforts that clients say and the backend does not (section 6), with what it calls them. */
const effortNames: Readonly<Record<string, string>> = Object.freeze({ minimal: "low", ultra: "max" });

/** Section 3.4, and fields that the backend's own client never sends. */
const unknownHere = "the backend refuses it";
const noLogprobs = "the backend tells no log probabilities";

/** In OpenAI's API null means absent; whether the backend agrees is not known, so it is not asked. */
const sentUnlessNull: RequestField = Object.freeze({
  fate: "sent",
  note: "",
  fit: (value: unknown, field: string) => set(value === null ? { [field]: undefined } : {}),
});

/**
 * What the backend makes of each field of a Responses request; first the reference's fields, then others that clients
 * are known to send. `stream` becomes true whatever it was, because the backend only streams: the caller collects where
 * its client wants one document.
 */
export function chatGptFields(settings: ChatGptSettings): RequestFields {
  return Object.freeze({
    ...statefulFields,
    model: sent(),
    input: changed(
      "as a list; `system` messages become `developer` messages, ids that the backend does not accept are left out",
      (value, field) => {
        const input = prepareChatGptInput(value);
        return input.kind === "refused" ? input : set({ [field]: input.items }, input.ignored);
      },
    ),
    instructions: changed("a default is filled in, because the backend demands some", (value, field) => {
      const isEmpty = !isSet(value) || (typeof value === "string" && value.trim() === "");
      return set({ [field]: isEmpty ? settings.defaultInstructions : value });
    }),
    access_programs: droppedField(unknownHere),
    context_management: droppedField(unknownHere),
    image: droppedField(unknownHere),
    include: changed(
      "encrypted reasoning is always asked for",
      (value, field) => set({ [field]: withEncryptedReasoning(value) }),
    ),
    max_output_tokens: droppedField(unknownHere),
    max_tool_calls: droppedField(unknownHere),
    metadata: droppedField(unknownHere),
    moderation: droppedField(unknownHere),
    parallel_tool_calls: changed(
      "left out where there are no tools",
      (value, field, body) => set({ [field]: hasTools(body) ? value ?? undefined : undefined }),
    ),
    prompt_cache_key: sentUnlessNull,
    prompt_cache_options: droppedField(unknownHere),
    prompt_cache_retention: droppedField(unknownHere),
    reasoning: changed(
      "a default effort is filled in; `minimal` becomes `low` and is named, `ultra` becomes `max`",
      (value, field) => withEffort(field, value ?? undefined, settings.defaultReasoningEffort),
    ),
    safety_identifier: droppedField(unknownHere),
    service_tier: changed("`priority` or its other name `fast`; other tiers are dropped and named", tier),
    store: { ...noStorage, fit: neverStored },
    stream: changed(
      "always true; the relay collects where no stream was asked for",
      (_value, field) => set({ [field]: true }),
    ),
    stream_options: changed(
      "`reasoning_summary_delivery`; other options are dropped and named",
      streamOptions,
    ),
    temperature: droppedField(unknownHere, 1),
    text: sentUnlessNull,
    tool_choice: changed(
      "the search tool by its present name",
      (value, field) => set({ [field]: plainToolChoice(value ?? undefined) }),
    ),
    tools: changed(
      "the search tool by its present name",
      (value, field) => set({ [field]: withoutAliases(value ?? undefined) }),
    ),
    top_logprobs: refusedField(noLogprobs, "Leave it out.", 0),
    top_p: droppedField(unknownHere, 1),
    truncation: droppedField(unknownHere, "disabled"),
    user: droppedField(unknownHere),
    client_metadata: sentUnlessNull,
    frequency_penalty: droppedField(unknownHere, 0),
    generate: droppedField(unknownHere, true),
    logprobs: refusedField(noLogprobs, "Leave it out.", false),
    max_completion_tokens: droppedField(unknownHere),
    max_tokens: droppedField(unknownHere),
    n: refusedField("one answer per request", "Send one request per answer.", 1),
    presence_penalty: droppedField(unknownHere, 0),
    seed: droppedField(unknownHere),
    stop: droppedField(unknownHere),
  });
}

/** The backend demands the word that forbids storing. */
const neverStored: NonNullable<RequestField["fit"]> = (value, field, body) => {
  const judged = noStorage.fit?.(value, field, body);
  return judged?.kind === "refused" ? judged : set({ [field]: false });
};

function withEncryptedReasoning(include: unknown): unknown {
  if (!Array.isArray(include)) return [encryptedReasoning];
  return include.includes(encryptedReasoning) ? include : [...include, encryptedReasoning];
}

/** `auto` and `default` are what holds anyway; `fast` is the name that people know for `priority` (section 9). */
function tier(value: unknown, field: string): FittedField {
  if (value === "priority" || value === "fast") return set({ [field]: "priority" });
  const isDefault = !isSet(value) || value === "auto" || value === "default";
  return set({ [field]: undefined }, isDefault ? [] : [field]);
}

function withEffort(field: string, reasoning: unknown, fallback: string | null): FittedField {
  if (reasoning !== undefined && !isObject(reasoning)) return set({});
  const effort = reasoning?.["effort"] ?? fallback;
  if (effort === null) return set({ [field]: reasoning });
  const name = typeof effort === "string" && Object.hasOwn(effortNames, effort)
    ? effortNames[effort]
    : effort;
  return set(
    { [field]: reasoning?.["effort"] === name ? reasoning : { ...reasoning, effort: name } },
    // Another effort runs than the one that was asked for, except where the upstream only has another word for it.
    effort === "minimal" ? [`${field}.effort`] : [],
  );
}

/** The one option that the backend knows (section 3.3); the others are for the public API's stream. */
function streamOptions(value: unknown, field: string): FittedField {
  if (!isObject(value)) return set({ [field]: undefined });
  const delivery = "reasoning_summary_delivery";
  const others = Object.keys(value).filter((name) => name !== delivery && value[name] !== null);
  const kept = value[delivery] === undefined ? undefined : { [delivery]: value[delivery] };
  return set(
    { [field]: others.length === 0 && kept !== undefined ? value : kept },
    others.length > 0 ? [field] : [],
  );
}

function hasTools(body: JsonObject): boolean {
  const { tools } = body;
  return Array.isArray(tools) && tools.length > 0;
}

function withoutAliases(tools: unknown): unknown {
  if (!Array.isArray(tools) || !tools.some(isAlias)) return tools;
  return tools.map((tool: unknown) => isAlias(tool) ? { ...objectOrEmpty(tool), type: "web_search" } : tool);
}

/** `tool_choice` may name the search tool itself, or list it under `allowed_tools`. */
function plainToolChoice(choice: unknown): unknown {
  if (!isObject(choice)) return choice;
  if (isAlias(choice)) return { ...choice, type: "web_search" };
  const tools = withoutAliases(choice["tools"]);
  return tools === choice["tools"] ? choice : { ...choice, tools };
}

function isAlias(tool: unknown): boolean {
  return isObject(tool) && searchAliases.has(tool["type"]);
}
