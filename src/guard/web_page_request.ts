/**
 * Telling requests of web pages from those of programs. A page that the relay's owner visits may send requests to loopback
 * addresses too: it must neither spend the owner's subscription, where no credential is asked for, nor lock the owner out with
 * wrong ones.
 *
 * @module
 */
import { parseIp } from "./ip_address.ts";

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
  // A `Host` that is none makes an address that is none.
  return isFromOtherSite(headers) || !isPrivateName(URL.parse(request.url)?.hostname);
}

/** Whether a browser says that a page has made the request, and not its user or a page of the relay itself. */
export function isMarkedAsWebPage(headers: Headers): boolean {
  return headers.has("origin") || isFromOtherSite(headers);
}

function isFromOtherSite(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  return site !== null && site !== "none" && site !== "same-origin";
}

/**
 * Names that no stranger can register: addresses, names without a dot, and those of RFC 6761 (`localhost`), RFC 6762 (`local`),
 * RFC 8375 (`home.arpa`) and ICANN's reservation of `internal`.
 */
function isPrivateName(hostname: string | undefined): boolean {
  if (hostname === undefined) return false;
  if (hostname.startsWith("[") || parseIp(hostname) !== undefined) return true;
  return !hostname.includes(".") || /\.(?:localhost|local|internal|home\.arpa)$/i.test(hostname);
}
