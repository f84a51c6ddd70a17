/**
 * Reading ChatGPT's model list (chatgpt-codex.md section 6).
 *
 * @module
 */
import { finiteNumber, isObject, type JsonObject, nonEmptyString, parseObject } from "../wire/json.ts";
import { numberMember, stringList } from "./model_entry.ts";
import type { Model } from "./provider.ts";

/**
 * The models that a person may choose, in the upstream's order of preference. Entries that cannot be read are left out;
 * undefined when the text is no model list at all.
 */
export function readChatGptModels(text: string): readonly Model[] | undefined {
  const entries = parseObject(text)?.["models"];
  if (!Array.isArray(entries)) return undefined;
  const models = new Map<string, { readonly model: Model; readonly priority: number }>();
  for (const entry of entries) {
    if (!isObject(entry)) continue;
    const slug = nonEmptyString(entry["slug"]);
    const visibility = entry["visibility"] ?? "list";
    if (slug === undefined || visibility !== "list" || models.has(slug)) continue;
    models.set(slug, {
      model: readModel(slug, entry),
      priority: finiteNumber(entry["priority"]) ?? Infinity,
    });
  }
  // Unlisted priorities are all infinite, and their difference is no number: compare, do not subtract.
  return [...models.values()]
    .sort((a, b) => a.priority === b.priority ? 0 : a.priority < b.priority ? -1 : 1)
    .map(({ model }) => model);
}

function readModel(slug: string, entry: JsonObject): Model {
  const efforts = stringList(entry["supported_reasoning_levels"], "effort");
  const defaultEffort = nonEmptyString(entry["default_reasoning_level"]);
  const modalities = stringList(entry["input_modalities"]);
  const parallel = entry["supports_parallel_tool_calls"];
  return {
    id: slug,
    displayName: nonEmptyString(entry["display_name"]) ?? slug,
    created: 0,
    ownedBy: "openai",
    dialects: ["responses"],
    ...numberMember("contextWindowTokens", entry["context_window"]),
    ...(modalities === undefined ? {} : { inputModalities: modalities }),
    ...(efforts === undefined ? {} : { reasoningEfforts: efforts }),
    ...(defaultEffort === undefined ? {} : { defaultReasoningEffort: defaultEffort }),
    ...(typeof parallel === "boolean" ? { parallelToolCalls: parallel } : {}),
  };
}
