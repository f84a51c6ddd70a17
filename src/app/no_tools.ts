/**
 * The routes below `/no-tools/v1`: for a client that must not be able to hand tools to a model. A request with tools is
 * refused and nothing is stripped, so that nobody believes that a model had tools which it never saw.
 *
 * @module
 */
import { isGiven, type JsonObject } from "../wire/json.ts";
import { errorResponse } from "./errors.ts";

/**
 * Whether a request of any dialect carries tools, under their name or under Chat's legacy one, or tells the model to call
 * one. An empty list and a choice of `none` ask for nothing. The case of a name does not matter, because there are upstreams
 * to which it does not (Go's encoding/json).
 */
export function asksForTools(body: JsonObject): boolean {
  return Object.entries(body).some(([name, value]) => {
    const member = name.toLowerCase();
    return Object.hasOwn(asking, member) && asking[member]?.(value) === true;
  });
}

const isChoice = (value: unknown) => isGiven(value) && value !== "none";

const isList = (value: unknown) => isGiven(value) && !(Array.isArray(value) && value.length === 0);

/** When a member asks for tools, by its name. */
const asking: Readonly<Record<string, (value: unknown) => boolean>> = Object.freeze({
  tools: isList,
  functions: isList,
  tool_choice: isChoice,
  function_call: isChoice,
  // Chat's way to ask for the hosted tool `web_search`.
  web_search_options: isGiven,
  // Grok's way to ask for a search.
  search_parameters: isGiven,
});

/** The answer to such a request. */
export function toolsDisabledResponse(): Response {
  return errorResponse(
    "tools_disabled",
    "This route disables tools. Leave 'tools' and 'tool_choice' out, or send the request below /v1.",
    "tools",
  );
}
