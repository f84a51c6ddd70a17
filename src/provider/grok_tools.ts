/**
 * Which tools of a Responses request Grok can parse (xai-grok.md section 8, tool rules).
 *
 * @module
 */
import { isObject } from "../wire/json.ts";
import { changed, type RequestField, set } from "./request_fields.ts";

/** What Codex offers beside its functions. Grok refuses the whole request for them, and does the work without. */
const unknownTypes: ReadonlySet<unknown> = new Set([
  "apply_patch",
  "local_shell",
  "namespace",
  "tool_search",
]);

/** The row of `tools`. */
export const grokTools: RequestField = changed(
  "without the types that Grok cannot parse; custom tools are refused",
  (tools, field) => {
    if (!Array.isArray(tools)) return set({});
    const custom = tools.findIndex((tool) => typeOf(tool) === "custom");
    if (custom >= 0) {
      // As a function Grok would take it, but the client would get calls of another kind than it declared.
      return {
        kind: "refused",
        message: "Grok does not take custom tools. Declare the tool as a function.",
        param: `${field}[${custom}]`,
        code: "unsupported_value",
      };
    }
    const known = knownToGrok(tools);
    if (known.length === tools.length) return set({});
    const unknown = tools.filter((tool) => !known.includes(tool)).map(typeOf);
    return set({ [field]: known }, [...new Set(unknown)].map((type) => `${field}[].${String(type)}`));
  },
);

/** The tools that remain; none when the value is no list. */
export function knownToGrok(tools: unknown): readonly unknown[] {
  return Array.isArray(tools) ? tools.filter((tool) => !unknownTypes.has(typeOf(tool))) : [];
}

function typeOf(tool: unknown): unknown {
  return isObject(tool) ? tool["type"] : undefined;
}
