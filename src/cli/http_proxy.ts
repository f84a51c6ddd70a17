/**
 * Whether upstreams are to be reached through an HTTP proxy.
 *
 * @module
 */
import type { CliProcess } from "./command.ts";

/** The names by which Deno's `fetch` is told of proxies. */
const proxyNames: readonly string[] = Object.freeze(
  ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
);

/**
 * True when the environment names a proxy. Calls then go by `fetch`, which uses it, instead of by connections of the relay's
 * own: on a network that lets nothing else out, speed is not the question.
 */
export function usesProxy({ environment }: Pick<CliProcess, "environment">): boolean {
  const given = environment(proxyNames);
  return proxyNames.some((name) => (given[name] ?? "") !== "");
}
