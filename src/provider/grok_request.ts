/**
 * Making a request fit for Grok (xai-grok.md sections 8 and 10). Grok speaks both dialects itself; only what it is known
 * to refuse is touched. What depends on the model (stop and penalties on reasoning models, the efforts) is left to
 * Grok's own answer, which names the parameter: the list of models moves every month.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import type { PreparedRequest } from "./provider.ts";
import {
  dropParameters,
  type DroppedParameters,
  refuseStatefulParameters,
  statelessForms,
} from "./request_rules.ts";
import type { Dialect } from "../wire/dialect.ts";

/** What Grok's Responses endpoint refuses and an answer survives without (section 8, the fields that clients remove). */
const droppedFromResponses: DroppedParameters = Object.freeze({
  ...statelessForms,
  prompt_cache_retention: undefined,
  safety_identifier: undefined,
  stop: undefined,
  stream_options: undefined,
});

/** The body as Grok takes it; the same object when nothing had to change. */
export function prepareGrokRequest(dialect: Dialect, body: JsonObject): PreparedRequest {
  if (dialect === "chat") return { kind: "ready", body: withoutIdleToolChoice(body), ignored: [] };
  const refusal = refuseStatefulParameters(body);
  if (refusal !== undefined) return refusal;
  const rest = dropParameters(body, droppedFromResponses);
  return { kind: "ready", body: withoutIdleToolChoice(rest.body), ignored: rest.ignored };
}

/** `tool_choice` without tools is an error at Grok, although `auto` and `none` then ask for what holds anyway. */
function withoutIdleToolChoice(body: JsonObject): JsonObject {
  const { tool_choice: choice, ...rest } = body;
  const { tools } = body;
  const isIdle = choice === "auto" || choice === "none" || (choice === null && "tool_choice" in body);
  return isIdle && !(Array.isArray(tools) && tools.length > 0) ? rest : body;
}
