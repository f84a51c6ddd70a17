/**
 * Making a Responses request fit for the ChatGPT backend, which takes a narrower dialect than OpenAI's public API
 * (chatgpt-codex.md sections 3.3 to 3.7 and 9).
 *
 * @module
 */
import { isObject, type JsonObject, objectOrEmpty } from "../wire/json.ts";
import { prepareChatGptInput } from "./chatgpt_input.ts";
import type { ChatGptSettings } from "./chatgpt_settings.ts";
import type { PreparedRequest } from "./provider.ts";
import {
  dropParameters,
  type DroppedParameters,
  refuseStatefulParameters,
  statelessForms,
  unsupported,
} from "./request_rules.ts";

/** Section 3.4, with the default of the public API where it has one. */
const dropped: DroppedParameters = Object.freeze({
  ...statelessForms,
  context_management: undefined,
  frequency_penalty: 0,
  generate: true,
  logprobs: false,
  max_completion_tokens: undefined,
  max_output_tokens: undefined,
  max_tokens: undefined,
  metadata: undefined,
  n: 1,
  presence_penalty: 0,
  prompt_cache_options: undefined,
  prompt_cache_retention: undefined,
  safety_identifier: undefined,
  seed: undefined,
  stop: undefined,
  temperature: 1,
  top_logprobs: 0,
  top_p: 1,
  truncation: "disabled",
  user: undefined,
});

/** What the encrypted reasoning is asked for with: without it a later turn cannot carry its reasoning. */
const encryptedReasoning = "reasoning.encrypted_content";

/** Older names of the search tool, which the backend refuses (section 3.5). */
const searchAliases: ReadonlySet<unknown> = new Set(["web_search_preview", "web_search_preview_2025_03_11"]);

/** Efforts that clients say and the backend does not (section 6), with what it calls them. */
const effortNames: Readonly<Record<string, string>> = Object.freeze({ minimal: "low", ultra: "max" });

/**
 * The body as the backend takes it. The same object comes back when nothing had to change. `stream` becomes true
 * whatever it was, because the backend only streams: the caller collects where its client wants one document.
 */
export function prepareChatGptRequest(body: JsonObject, settings: ChatGptSettings): PreparedRequest {
  const refusal = refuseStatefulParameters(body);
  if (refusal !== undefined) return refusal;
  if (body["store"] === true) {
    return {
      ...unsupported("store", "Set it to false: responses are not stored."),
      code: "unsupported_value",
    };
  }
  if (typeof body["n"] === "number" && body["n"] > 1) return unsupported("n", "Send one request per answer.");

  const input = prepareChatGptInput(body["input"]);
  if (input.kind === "refused") return input;
  const rest = dropParameters(body, dropped);
  const tier = serviceTier(rest.body["service_tier"]);
  const reasoning = withEffort(rest.body["reasoning"], settings.defaultReasoningEffort);
  const streamOptions = keptStreamOptions(rest.body["stream_options"]);
  const wanted: JsonObject = {
    ...withoutNulls(rest.body),
    input: input.items,
    store: false,
    stream: true,
    instructions: instructions(rest.body["instructions"], settings.defaultInstructions),
    include: withEncryptedReasoning(rest.body["include"]),
    reasoning: reasoning.value,
    service_tier: tier.value,
    stream_options: streamOptions.value,
    tools: withoutAliases(rest.body["tools"] ?? undefined),
    tool_choice: plainToolChoice(rest.body["tool_choice"] ?? undefined),
    parallel_tool_calls: hasTools(rest.body) ? rest.body["parallel_tool_calls"] : undefined,
  };
  const ignored = [...rest.ignored, ...input.ignored];
  if (tier.ignored) ignored.push("service_tier");
  if (streamOptions.ignored) ignored.push("stream_options");
  if (reasoning.ignored) ignored.push("reasoning.effort");
  return { kind: "ready", body: overlay(rest.body, wanted), ignored };
}

/** `body` with the members of `wanted`; undefined removes one. The same object when it had them all already. */
function overlay(body: JsonObject, wanted: JsonObject): JsonObject {
  const changes = Object.keys(wanted).filter((name) => body[name] !== wanted[name]);
  if (changes.length === 0) return body;
  const changed: JsonObject = { ...body };
  for (const name of changes) {
    if (wanted[name] === undefined) delete changed[name];
    else changed[name] = wanted[name];
  }
  return changed;
}

/** In OpenAI's API null means absent; whether the backend agrees is not known, so it is not asked. */
function withoutNulls(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, value ?? undefined]));
}

function instructions(value: unknown, fallback: string): unknown {
  const isEmpty = value === undefined || value === null || (typeof value === "string" && value.trim() === "");
  return isEmpty ? fallback : value;
}

function withEncryptedReasoning(include: unknown): unknown {
  if (!Array.isArray(include)) return [encryptedReasoning];
  return include.includes(encryptedReasoning) ? include : [...include, encryptedReasoning];
}

/** `auto` and `default` are what holds anyway; `fast` is the name that people know for `priority` (section 9). */
function serviceTier(value: unknown): { readonly value: string | undefined; readonly ignored: boolean } {
  if (value === "priority" || value === "fast") return { value: "priority", ignored: false };
  const isDefault = value === undefined || value === null || value === "auto" || value === "default";
  return { value: undefined, ignored: !isDefault };
}

function withEffort(
  reasoning: unknown,
  fallback: string | null,
): { readonly value: unknown; readonly ignored: boolean } {
  const given = reasoning === null ? undefined : reasoning;
  if (given !== undefined && !isObject(given)) return { value: given, ignored: false };
  const effort = given?.["effort"] ?? fallback;
  if (effort === null) return { value: given, ignored: false };
  const name = typeof effort === "string" && Object.hasOwn(effortNames, effort)
    ? effortNames[effort]
    : effort;
  return {
    value: given?.["effort"] === name ? given : { ...given, effort: name },
    // Another effort runs than the one that was asked for, except where the upstream only has another word for it.
    ignored: effort === "minimal",
  };
}

/** The one option that the backend knows (section 3.3); the others are for the public API's stream. */
function keptStreamOptions(value: unknown): { readonly value: unknown; readonly ignored: boolean } {
  if (!isObject(value)) return { value: undefined, ignored: false };
  const delivery = "reasoning_summary_delivery";
  const others = Object.keys(value).filter((name) => name !== delivery && value[name] !== null);
  if (others.length === 0 && value[delivery] !== undefined) return { value, ignored: false };
  return {
    value: value[delivery] === undefined ? undefined : { [delivery]: value[delivery] },
    ignored: others.length > 0,
  };
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
