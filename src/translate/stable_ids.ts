/**
 * Gives a Responses stream whose upstream names everything anew in each event (facts github-copilot 11) one id for the
 * response and one for each item: those that were told first. Clients relate events by these ids.
 *
 * @module
 */
import { isObject, type JsonObject, nonEmptyString } from "../wire/json.ts";

/**
 * Makes the function that repairs the events of one stream, in order. It returns the event as clients can follow it, the
 * same object if nothing had to change. Items are known by `output_index`; `call_id` is stable as it comes.
 */
export function createStableIds(): (event: JsonObject) => JsonObject {
  let responseId: string | undefined;
  const itemIds = new Map<number, string>();

  function itemId(index: unknown, told: unknown): string | undefined {
    const id = nonEmptyString(told);
    if (typeof index !== "number" || id === undefined) return undefined;
    const known = itemIds.get(index) ?? id;
    itemIds.set(index, known);
    return known;
  }

  function stableItem(item: unknown, index: unknown): unknown {
    if (!isObject(item)) return item;
    const id = itemId(index, item["id"]);
    return id === undefined || id === item["id"] ? item : { ...item, id };
  }

  function stableResponse(response: JsonObject): JsonObject {
    responseId ??= nonEmptyString(response["id"]);
    const { output } = response;
    return {
      ...response,
      ...(responseId === undefined ? {} : { id: responseId }),
      ...(Array.isArray(output) ? { output: output.map(stableItem) } : {}),
    };
  }

  return (event: JsonObject): JsonObject => {
    const { response, item, item_id: told, output_index: index } = event;
    if (isObject(response)) return { ...event, response: stableResponse(response) };
    if (isObject(item)) {
      const stable = stableItem(item, index);
      return stable === item ? event : { ...event, item: stable };
    }
    const id = itemId(index, told);
    return id === undefined || id === told ? event : { ...event, item_id: id };
  };
}
