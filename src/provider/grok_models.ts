/**
 * Reading Grok's model list, in the spelling of either rail (xai-grok.md sections 6 and 7).
 *
 * @module
 */
import { finiteNumber, isObject, type JsonObject, nonEmptyString, parseObject } from "../wire/json.ts";
import { numberMember, stringList } from "./model_entry.ts";
import type { Model } from "./provider.ts";

/**
 * The models on offer, in the upstream's order. Hidden and unreadable entries are left out; undefined when the text is
 * no model list at all.
 */
export function readGrokModels(text: string): readonly Model[] | undefined {
  const entries = parseObject(text)?.["data"];
  if (!Array.isArray(entries)) return undefined;
  const models = new Map<string, Model>();
  for (const entry of entries) {
    if (!isObject(entry) || entry["hidden"] === true) continue;
    const id = nonEmptyString(entry["id"]);
    if (id !== undefined && !models.has(id)) models.set(id, readModel(id, entry));
  }
  return [...models.values()];
}

function readModel(id: string, entry: JsonObject): Model {
  // The proxy writes camelCase, the command line client's own fixtures snake_case: both have been seen.
  const efforts: unknown = entry["reasoningEfforts"] ?? entry["reasoning_efforts"];
  const effortNames = stringList(efforts, "value");
  const marked: unknown = Array.isArray(efforts)
    ? efforts.find((effort) => isObject(effort) && effort["default"] === true)
    : undefined;
  const defaultEffort = nonEmptyString(entry["reasoningEffort"] ?? entry["reasoning_effort"]) ??
    (isObject(marked) ? nonEmptyString(marked["value"]) : undefined);
  const modalities = stringList(entry["input_modalities"]);
  return {
    id,
    displayName: nonEmptyString(entry["name"]) ?? id,
    created: finiteNumber(entry["created"]) ?? 0,
    ownedBy: nonEmptyString(entry["owned_by"]) ?? "xai",
    dialects: ["responses", "chat"],
    ...numberMember("contextWindowTokens", entry["contextWindow"] ?? entry["context_window"]),
    ...numberMember("maxOutputTokens", entry["maxCompletionTokens"] ?? entry["max_completion_tokens"]),
    ...(modalities === undefined ? {} : { inputModalities: modalities }),
    ...(effortNames === undefined ? {} : { reasoningEfforts: effortNames }),
    ...(defaultEffort === undefined ? {} : { defaultReasoningEffort: defaultEffort }),
  };
}
