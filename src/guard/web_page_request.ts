/**
 * Keeping web pages away from a relay that asks nobody for a credential. A page that its owner visits may send requests to
 * loopback addresses too, and would spend the owner's subscription without this.
 *
 * @module
 */
import { isIP } from "node:net";

/**
 * Whether a request may have been made by a web page that nobody allowed. Two marks give one away: what a browser says of the
 * page (the `Origin` and `Sec-Fetch-Site` headers of the Fetch standard), and a public name in `Host`. The second is that of a
 * page whose own name was made to point at this machine (DNS rebinding): to the browser it is at home here, and says nothing.
 *
 * @param origins Origins of pages that may call, exact; `*` allows none here, because it was not meant for this.
 */
export function isForeignWebPage(request: Request, origins: readonly string[]): boolean {
  const { headers } = request;
  const origin = headers.get("origin");
  if (origin !== null) return !origins.includes(origin);
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "none" && site !== "same-origin") return true;
  return !isPrivateName(new URL(request.url).hostname);
}

/**
 * Names that no stranger can register: addresses, names without a dot, and those of RFC 6761 (`localhost`), RFC 6762 (`local`),
 * RFC 8375 (`home.arpa`) and ICANN's reservation of `internal`.
 */
function isPrivateName(hostname: string): boolean {
  if (hostname.startsWith("[") || isIP(hostname) !== 0) return true;
  return !hostname.includes(".") || /\.(?:localhost|local|internal|home\.arpa)$/i.test(hostname);
}
