import assert from "node:assert/strict";
import { createAddressReader } from "../../src/guard/client_address.ts";

const socket = "198.51.100.9";

const keys: readonly [socketHostname: string | undefined, key: string][] = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2::ffff", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0003:0000:0000:0000:0001", "2001:db8:1:3::/64"],
  ["2001:db8::192.0.2.1", "2001:db8::/64"],
  ["fe80::1%eth0", "fe80::/64"],
  ["::1", "::/64"],
  [undefined, "unknown"],
  ["", "unknown"],
  ["/run/relay.sock", "unknown"],
];

for (const [hostname, key] of keys) {
  Deno.test(`addressOf() makes ${key} of the socket address ${hostname}`, () => {
    const addressOf = createAddressReader({
      trustForwardedFor: false,
      trustedProxyHops: 1,
      exemptAddresses: [],
    });
    assert.deepEqual(addressOf(new Headers(), hostname), { key, exempt: false });
  });
}

const forwarded: readonly { header: string | null; hops: number; key: string; why: string }[] = [
  { header: "192.0.2.1", hops: 1, key: "192.0.2.1", why: "one proxy" },
  {
    header: "203.0.113.66, 192.0.2.1",
    hops: 1,
    key: "192.0.2.1",
    why: "the left entry is the client's invention",
  },
  { header: "203.0.113.66, 192.0.2.1, 10.0.0.1", hops: 2, key: "192.0.2.1", why: "two proxies" },
  { header: "203.0.113.66,192.0.2.1,10.0.0.2,10.0.0.1", hops: 3, key: "192.0.2.1", why: "three, no spaces" },
  { header: " 192.0.2.1 ", hops: 1, key: "192.0.2.1", why: "spaces around" },
  { header: "192.0.2.1:4711", hops: 1, key: "192.0.2.1", why: "a port" },
  { header: "[2001:db8:0:5::1]:4711", hops: 1, key: "2001:db8:0:5::/64", why: "IPv6 with a port" },
  { header: "[2001:db8:0:5::1]", hops: 1, key: "2001:db8:0:5::/64", why: "IPv6 in brackets" },
  { header: "2001:db8:0:5::1", hops: 1, key: "2001:db8:0:5::/64", why: "IPv6" },
  { header: "::ffff:192.0.2.1", hops: 1, key: "192.0.2.1", why: "mapped IPv4" },
  {
    header: "203.0.113.66, unknown, 10.0.0.1",
    hops: 2,
    key: "10.0.0.1",
    why: "garbage where the client should be",
  },
  { header: "203.0.113.66, , 10.0.0.1", hops: 2, key: "10.0.0.1", why: "nothing where the client should be" },
  { header: "203.0.113.66, not an address", hops: 1, key: socket, why: "garbage from the only proxy" },
  { header: "10.0.0.1", hops: 3, key: "10.0.0.1", why: "fewer entries than proxies" },
  { header: ",,,,", hops: 5, key: socket, why: "only commas" },
  { header: "", hops: 1, key: socket, why: "an empty header" },
  { header: null, hops: 2, key: socket, why: "no header" },
  { header: "1.2.3.4.5", hops: 1, key: socket, why: "five numbers" },
  { header: "192.0.2.256", hops: 1, key: socket, why: "a number above 255" },
  { header: "192.0.2.010", hops: 1, key: socket, why: "a number that could be octal" },
  { header: "2001:db8:::1", hops: 1, key: socket, why: "three colons" },
  { header: "1:2:3:4:5:6:7:8:9", hops: 1, key: socket, why: "nine groups" },
  { header: "1:2:3:4:5:6::8", hops: 1, key: "1:2:3:4::/64", why: "an abbreviation of one group" },
  { header: "1:2:3:4:5:6:7::8", hops: 1, key: socket, why: "an abbreviation of no group" },
  { header: "192.0.2.1::", hops: 1, key: socket, why: "IPv4 at the start of IPv6" },
  { header: "x".repeat(5_000), hops: 1, key: socket, why: "a long word" },
];

for (const { header, hops, key, why } of forwarded) {
  Deno.test(`addressOf() finds ${key} behind ${hops} trusted proxies: ${why}`, () => {
    const headers = new Headers(header === null ? {} : { "x-forwarded-for": header });
    const settings = { trustForwardedFor: true, trustedProxyHops: hops, exemptAddresses: [] };
    assert.equal(createAddressReader(settings)(headers, socket).key, key);
  });
}

Deno.test("addressOf() reads several X-Forwarded-For fields as one list", () => {
  const headers = new Headers();
  headers.append("x-forwarded-for", "203.0.113.66");
  headers.append("x-forwarded-for", "192.0.2.1");
  const settings = { trustForwardedFor: true, trustedProxyHops: 1, exemptAddresses: [] };
  assert.equal(createAddressReader(settings)(headers, socket).key, "192.0.2.1");
});

Deno.test("addressOf() does not look at X-Forwarded-For unless it is trusted", () => {
  const settings = { trustForwardedFor: false, trustedProxyHops: 1, exemptAddresses: [] };
  const headers = new Headers({
    "x-forwarded-for": "192.0.2.1",
    forwarded: "for=192.0.2.1",
    "x-real-ip": "192.0.2.1",
  });
  assert.equal(createAddressReader(settings)(headers, socket).key, socket);
});

const exempt: readonly [network: string, address: string, expected: boolean][] = [
  ["10.0.0.0/8", "10.255.255.255", true],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["10.0.0.0/8", "::ffff:10.1.1.1", true],
  ["192.0.2.128/25", "192.0.2.128", true],
  ["192.0.2.128/25", "192.0.2.127", false],
  ["192.0.2.1", "192.0.2.1", true],
  ["192.0.2.1", "192.0.2.2", false],
  ["192.0.2.1/32", "192.0.2.1", true],
  ["0.0.0.0/0", "203.0.113.1", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "2001:db8::1", true],
  ["2001:db8::/33", "2001:db8:7fff::1", true],
  ["2001:db8::/33", "2001:db8:8000::1", false],
  ["2001:db8::1", "2001:db8::1", true],
  ["2001:db8::1", "2001:db8::2", false],
  ["::ffff:10.0.0.0/104", "10.9.9.9", true],
  ["::1", "::1", true],
];

for (const [network, address, expected] of exempt) {
  Deno.test(`addressOf() ${expected ? "exempts" : "limits"} ${address} when ${network} is exempt`, () => {
    const settings = {
      trustForwardedFor: false,
      trustedProxyHops: 1,
      exemptAddresses: ["203.0.113.9", network],
    };
    assert.equal(createAddressReader(settings)(new Headers(), address).exempt, expected);
  });
}

const badNetworks = [
  ...["", "localhost", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0/8"],
  ...["2001:db8::/129", "2001:db8::1/64", "fe80::1%eth0", "10.0.0.0/0x8", "*"],
];

for (const network of badNetworks) {
  Deno.test(`createAddressReader() refuses the exempt address ${JSON.stringify(network)}`, () => {
    const settings = { trustForwardedFor: false, trustedProxyHops: 1, exemptAddresses: [network] };
    assert.throws(() => createAddressReader(settings), TypeError);
  });
}

Deno.test("createAddressReader() refuses a number of proxies that is none", () => {
  for (const trustedProxyHops of [0, -1, 1.5, NaN]) {
    const settings = { trustForwardedFor: true, trustedProxyHops, exemptAddresses: [] };
    assert.throws(() => createAddressReader(settings), TypeError);
  }
});
