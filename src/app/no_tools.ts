/**
 * The routes below `/no-tools/v1`: for a client that must not be able to hand tools to a model. A request with tools is
 * refused and nothing is stripped, so that nobody believes that a model had tools which it never saw.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { errorResponse } from "./errors.ts";

/**
 * Whether a request of any dialect carries tools, under their name or under Chat's legacy one, or tells the model to call
 * one. An empty list and a choice of `none` ask for nothing.
 */
export function asksForTools(body: JsonObject): boolean {
  return ["tools", "functions"].some((name) => isGiven(body[name]) && !isEmptyList(body[name])) ||
    // Chat's way to ask for the hosted tool `web_search`.
    isGiven(body["web_search_options"]) ||
    ["tool_choice", "function_call"].some((name) => isGiven(body[name]) && body[name] !== "none");
}

/** The answer to such a request. */
export function toolsDisabledResponse(): Response {
  return errorResponse(
    "tools_disabled",
    "This route disables tools. Leave 'tools' and 'tool_choice' out, or send the request below /v1.",
    "tools",
  );
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
