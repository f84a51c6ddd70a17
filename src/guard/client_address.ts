/**
 * Whose request it is, as far as an address tells.
 *
 * @module
 */
import { inNetwork, type IpAddress, ipText, type Network, parseIp, parseNetwork } from "./ip_address.ts";
import { isMarkedAsWebPage } from "./web_page_request.ts";

/** A client's address, as the limits count it. */
export interface ClientAddress {
  /**
   * An IPv4 address (`192.0.2.1`), the /64 of an IPv6 address (`2001:db8:0:1::/64`), or `unknown`. A household or a machine has a
   * /64 for itself (RFC 6177), so that limits by single IPv6 addresses would limit nobody.
   */
  readonly key: string;
  /** True when the settings free this address from limits. */
  readonly exempt: boolean;
  /**
   * What failed authentications count under, where that is not `key`: those of web pages count apart. Any page that somebody
   * visits can send wrong credentials to a relay on the same machine or network, and must not lock out the programs there. Who
   * poses as a page has the attempts of one address twice.
   */
  readonly failureKey?: string;
}

/** How a client's address is found, and which addresses have no limits. */
export interface AddressSettings {
  /** Whether `X-Forwarded-For` is read. Only behind a proxy that sets it, and that nobody can go round. */
  readonly trustForwardedFor: boolean;
  /** How many proxies stand before the relay: which entry of `X-Forwarded-For`, counted from the right, is the client. */
  readonly trustedProxyHops: number;
  /** Addresses without limits, as single addresses or in CIDR notation (RFC 4632, RFC 4291 section 2.3). */
  readonly exemptAddresses: readonly string[];
}

/** Finds a request's address. `socketHostname` is the peer's, as `Deno.serve` tells it. */
export type ReadAddress = (headers: Headers, socketHostname: string | undefined) => ClientAddress;

/**
 * Builds the reader.
 *
 * @throws {TypeError} when an exempt address is none, or the number of hops is no whole number above 0.
 */
export function createAddressReader(settings: AddressSettings): ReadAddress {
  const { trustForwardedFor, trustedProxyHops } = settings;
  if (!Number.isInteger(trustedProxyHops) || trustedProxyHops < 1) {
    throw new TypeError("The number of trusted proxies must be a whole number above 0.");
  }
  const exempt = settings.exemptAddresses.map(readExempt);
  /** Clients come again; reading an address anew costs several times as much as all the rest of the guard. */
  const known = new Map<string, ClientAddress | undefined>();

  function read(text: string): ClientAddress | undefined {
    if (known.has(text)) return known.get(text);
    const address = parseIp(text);
    const client = address &&
      { key: keyOf(address), exempt: exempt.some((network) => inNetwork(address, network)) };
    if (known.size >= maxKnown) known.clear();
    if (text.length <= maxTextLength) known.set(text, client);
    return client;
  }

  return (headers, socketHostname) => {
    const forwarded = trustForwardedFor ? headers.get("x-forwarded-for") : null;
    const address = (forwarded === null ? undefined : readForwarded(forwarded, trustedProxyHops, read)) ??
      (socketHostname === undefined ? undefined : read(socketHostname)) ?? unknownAddress;
    return isMarkedAsWebPage(headers) ? { ...address, failureKey: `${address.key} web page` } : address;
  };
}

/** Addresses whose reading is remembered, at most: about a megabyte. */
const maxKnown = 4_096;

/** Texts beyond this length are no addresses and not worth remembering. */
const maxTextLength = 64;

const unknownAddress: ClientAddress = Object.freeze({ key: "unknown", exempt: false });

/**
 * The entry that the outermost of our own proxies has written: each proxy appends the address that it was called from, so that
 * the entries further left are the client's own invention. Where that entry is missing or no address, the next one to the
 * right counts: it names a proxy of ours, whose callers then share one limit.
 */
function readForwarded(
  header: string,
  hops: number,
  read: (text: string) => ClientAddress | undefined,
): ClientAddress | undefined {
  let found: ClientAddress | undefined;
  let end = header.length;
  for (let hop = 0; hop < hops && end >= 0; hop++) {
    const comma = end === 0 ? -1 : header.lastIndexOf(",", end - 1);
    found = read(withoutPort(header.slice(comma + 1, end).trim())) ?? found;
    end = comma;
  }
  return found;
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  if (entry.startsWith("[")) return /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1] ?? entry;
  const colon = entry.indexOf(":");
  return colon > 0 && /^[\d.]+:\d+$/.test(entry) ? entry.slice(0, colon) : entry;
}

function keyOf(address: IpAddress): string {
  return address.isIpv4 ? ipText(address) : `${ipText(address, 64)}/64`;
}

function readExempt(text: string): Network {
  const network = parseNetwork(text);
  if (network === undefined) {
    throw new TypeError(
      "An exempt address must be an IP address or a network in CIDR notation without host bits, such as 10.0.0.0/8.",
    );
  }
  return network;
}
