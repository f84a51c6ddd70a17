/**
 * A certificate for 127.0.0.1 that a test makes and trusts by itself (RFC 5280; DER as in ITU-T X.690), so that no private
 * key is kept anywhere.
 */

/** Makes a certificate and its key, both PEM. */
export async function selfSignedCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
  const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const name = sequence(set(sequence(oid(85, 4, 3), der(0x0c, new TextEncoder().encode("relay test")))));
  const ecdsaWithSha256 = sequence(oid(42, 134, 72, 206, 61, 4, 3, 2));
  const toBeSigned = sequence(
    der(0xa0, integer(2)),
    integer(1),
    ecdsaWithSha256,
    name,
    sequence(utcTime("200101000000Z"), utcTime("491231235959Z")),
    name,
    new Uint8Array(await crypto.subtle.exportKey("spki", publicKey)),
    // subjectAltName: the address.
    der(0xa3, sequence(sequence(oid(85, 29, 17), der(4, sequence(der(0x87, Uint8Array.of(127, 0, 0, 1))))))),
  );
  const signature = new Uint8Array(
    await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, toBeSigned),
  );
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map((half) => integer(...half));
  const signed = sequence(toBeSigned, ecdsaWithSha256, der(3, Uint8Array.of(0), sequence(r, s)));
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return { cert: pem("CERTIFICATE", signed), key: pem("PRIVATE KEY", pkcs8) };
}

type Bytes = Uint8Array<ArrayBuffer>;

function der(tag: number, ...parts: readonly (Bytes | undefined)[]): Bytes {
  const content = parts.flatMap((part) => [...part ?? []]);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Uint8Array.from([tag, ...head, ...content]);
}

function sequence(...parts: readonly (Bytes | undefined)[]): Bytes {
  return der(0x30, ...parts);
}

function set(...parts: readonly Bytes[]): Bytes {
  return der(0x31, ...parts);
}

/** The bytes as DER has them, the first two arcs in one. */
function oid(...arcs: readonly number[]): Bytes {
  return der(6, Uint8Array.from(arcs));
}

/** A number that is not negative, most significant byte first. */
function integer(...bytes: readonly number[]): Bytes {
  const from = bytes.findIndex((byte, index) => byte !== 0 || index === bytes.length - 1);
  const digits = bytes.slice(from);
  return der(2, Uint8Array.from((digits[0] ?? 0) > 127 ? [0, ...digits] : digits));
}

function utcTime(text: string): Bytes {
  return der(0x17, new TextEncoder().encode(text));
}

function pem(label: string, bytes: Bytes): string {
  return `-----BEGIN ${label}-----\n${bytes.toBase64().replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}
