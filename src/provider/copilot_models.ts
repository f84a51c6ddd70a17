/**
 * Reading Copilot's model list (github-copilot.md section 7).
 *
 * @module
 */
import {
  finiteNumber,
  isObject,
  type JsonObject,
  nonEmptyString,
  objectOrEmpty,
  parseObject,
} from "../wire/json.ts";
import { numberMember, stringList } from "./model_entry.ts";
import type { Model } from "./provider.ts";
import type { Dialect } from "../wire/dialect.ts";

/**
 * The chat models that the account may use and that we can ask, in the upstream's order, each id once. Entries that
 * cannot be read are left out; undefined when the text is no model list at all.
 */
export function readCopilotModels(text: string): readonly Model[] | undefined {
  const entries = parseObject(text)?.["data"];
  if (!Array.isArray(entries)) return undefined;
  const models = new Map<string, Model>();
  for (const entry of entries) {
    if (!isObject(entry)) continue;
    const id = nonEmptyString(entry["id"]);
    if (id === undefined || models.has(id) || !isUsable(entry)) continue;
    const dialects = dialectsOf(entry["supported_endpoints"]);
    if (dialects.length > 0) models.set(id, readModel(id, entry, dialects));
  }
  return [...models.values()];
}

/** The dialect for a model that no list tells about: Codex models have only ever spoken Responses, the rest Chat. */
export function dialectOfFamily(model: string): Dialect {
  return /^gpt-5.*codex/.test(model) ? "responses" : "chat";
}

/** A model whose terms nobody accepted, or that a policy forbids, answers every call with an error. */
function isUsable(entry: JsonObject): boolean {
  const policy = entry["policy"];
  if (isObject(policy) && policy["state"] !== undefined && policy["state"] !== "enabled") return false;
  return (objectOrEmpty(entry["capabilities"])["type"] ?? "chat") === "chat";
}

/** Models without the member speak Chat only. `/v1/messages` is a dialect that we do not send. */
function dialectsOf(endpoints: unknown): readonly Dialect[] {
  if (endpoints === undefined || endpoints === null) return ["chat"];
  const paths = new Set((stringList(endpoints) ?? []).map((path) => path.replace(/^\/v1(?=\/)/, "")));
  const dialects: Dialect[] = [];
  if (paths.has("/responses")) dialects.push("responses");
  if (paths.has("/chat/completions")) dialects.push("chat");
  return dialects;
}

function readModel(id: string, entry: JsonObject, dialects: readonly Dialect[]): Model {
  const capabilities = objectOrEmpty(entry["capabilities"]);
  const limits = objectOrEmpty(capabilities["limits"]);
  const supports = objectOrEmpty(capabilities["supports"]);
  const { vision, tool_calls: tools, parallel_tool_calls: parallel, structured_outputs: structured } =
    supports;
  const efforts = stringList(supports["reasoning_effort"]);
  return {
    id,
    displayName: nonEmptyString(entry["name"]) ?? id,
    created: finiteNumber(entry["created"]) ?? 0,
    ownedBy: nonEmptyString(entry["vendor"]) ?? "github",
    dialects,
    ...numberMember("contextWindowTokens", limits["max_context_window_tokens"]),
    ...numberMember("maxOutputTokens", limits["max_output_tokens"]),
    ...(typeof vision === "boolean" ? { inputModalities: vision ? ["text", "image"] : ["text"] } : {}),
    ...(efforts === undefined ? {} : { reasoningEfforts: efforts }),
    ...(typeof tools === "boolean" ? { toolCalls: tools } : {}),
    ...(typeof parallel === "boolean" ? { parallelToolCalls: parallel } : {}),
    ...(typeof structured === "boolean" ? { structuredOutputs: structured } : {}),
  };
}
