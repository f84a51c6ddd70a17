/**
 * IP addresses and networks. Every address is kept as the eight groups of an IPv6 address; IPv4 as `::ffff:a.b.c.d` (RFC 4291
 * section 2.5.5.2), so that both spellings of one client are one client.
 *
 * @module
 */

/** An IP address. */
export interface IpAddress {
  /** Eight numbers of 16 bits. */
  readonly groups: readonly number[];
  /** True for an IPv4 address in either spelling. */
  readonly isIpv4: boolean;
}

/** The addresses that share their first bits with `address`. */
export interface Network {
  readonly address: IpAddress;
  /** How many bits of the 128. */
  readonly prefixBits: number;
}

/**
 * Reads an IPv4 address in dotted decimal or an IPv6 address (RFC 4291 section 2.2); a zone (`%eth0`) is left out. Undefined
 * for everything else, also for IPv4 numbers with leading zeros, which some read as octal.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > maxTextLength) return undefined;
  if (!text.includes(":")) {
    const pair = parseIpv4(text);
    return pair === undefined ? undefined : { groups: [...mappedPrefix, ...pair], isIpv4: true };
  }
  const zone = text.indexOf("%");
  const groups = parseGroups(zone < 0 ? text : text.slice(0, zone));
  return groups === undefined ? undefined : { groups, isIpv4: isMapped(groups) };
}

/**
 * Reads `192.0.2.0/24`, `2001:db8::/32`, or a single address. Undefined when it is none of these, or has bits set behind the
 * prefix: then one of the two is a slip, and guessing which could free the wrong addresses.
 */
export function parseNetwork(text: string): Network | undefined {
  const [addressText = "", bitsText, ...more] = text.split("/");
  const address = addressText.includes("%") ? undefined : parseIp(addressText);
  if (address === undefined || more.length > 0) return undefined;
  if (bitsText === undefined) return { address, prefixBits: 128 };
  const bits = /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : NaN;
  const prefixBits = addressText.includes(":") ? bits : bits + 96;
  if (!(prefixBits <= 128)) return undefined;
  return address.groups.every((group, index) => masked(group, index, prefixBits) === group)
    ? { address, prefixBits }
    : undefined;
}

/** True when `address` lies in `network`. */
export function inNetwork(address: IpAddress, network: Network): boolean {
  return address.groups.every((group, index) =>
    masked(group, index, network.prefixBits) === network.address.groups[index]
  );
}

/**
 * The text of an address: IPv4 in dotted decimal, IPv6 with the longest run of zeros left out (RFC 5952). With `prefixBits`,
 * everything behind that many bits is zero.
 */
export function ipText(address: IpAddress, prefixBits = 128): string {
  const groups = address.groups.map((group, index) => masked(group, index, prefixBits));
  if (address.isIpv4) {
    return groups.slice(6).map((group) => `${group >> 8}.${group & 0xff}`).join(".");
  }
  const hex = groups.map((group) => group.toString(16));
  const { start, length } = longestZeros(groups);
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index + 1 - length, length };
  }
  return longest;
}

/** The longest is an IPv6 address with an IPv4 ending and a zone. */
const maxTextLength = 64;

const mappedPrefix: readonly number[] = Object.freeze([0, 0, 0, 0, 0, 0xffff]);

function isMapped(groups: readonly number[]): boolean {
  return mappedPrefix.every((group, index) => groups[index] === group);
}

/** The two groups of an IPv4 address. */
function parseIpv4(text: string): readonly [number, number] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1).map((part) => part.length > 1 && part.startsWith("0") ? NaN : Number(part));
  const [a = NaN, b = NaN, c = NaN, d = NaN] = numbers;
  return numbers.every((number) => number <= 255) ? [a * 256 + b, c * 256 + d] : undefined;
}

function parseGroups(text: string): readonly number[] | undefined {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = parseRun(head, tail === undefined);
  if (tail === undefined) return before?.length === 8 ? before : undefined;
  const after = parseRun(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  return missing < 1 ? undefined : [...before, ...new Array<number>(missing).fill(0), ...after];
}

/** Groups between colons; `last` when an IPv4 address may end them. */
function parseRun(text: string, last: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[\da-f]{1,4}$/i.test(part)) {
      groups.push(parseInt(part, 16));
      continue;
    }
    const pair = last && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (pair === undefined) return undefined;
    groups.push(...pair);
  }
  return groups;
}

/** A group without the bits behind the prefix. */
function masked(group: number, index: number, prefixBits: number): number {
  const kept = Math.min(16, Math.max(0, prefixBits - index * 16));
  return group & (0xffff << (16 - kept)) & 0xffff;
}
