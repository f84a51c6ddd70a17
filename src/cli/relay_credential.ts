/**
 * The relay token as the commands of the owner find it: to present it to a running relay, and to tell where it comes from.
 *
 * @module
 */
import type { RelayConfig } from "../config_load.ts";
import { readRelayTokenFile } from "../credential/relay_token_file.ts";
import { fingerprint } from "../crypto/secret.ts";

/** What local tools have to present. */
export type RelayCredential =
  | {
    readonly kind: "token";
    readonly token: string;
    readonly fingerprint: string;
    /** The path of its file, or the name of its variable in the environment. */
    readonly from: { readonly path: string } | { readonly variable: string };
    readonly openToOthers: boolean;
  }
  /** The settings ask local tools for nothing. */
  | { readonly kind: "not_required" }
  | { readonly kind: "absent"; readonly path: string }
  | { readonly kind: "unusable"; readonly sentence: string };

/** Reads the token that the settings name. */
export async function readRelayCredential(
  { relayToken }: Pick<RelayConfig, "relayToken">,
): Promise<RelayCredential> {
  const { override, path, required } = relayToken;
  if (!required) return { kind: "not_required" };
  if (override !== undefined) {
    return {
      kind: "token",
      token: override.token,
      fingerprint: await fingerprint(override.token),
      from: { variable: override.name },
      openToOthers: false,
    };
  }
  const file = await readRelayTokenFile(path);
  switch (file.kind) {
    case "token":
      return { ...file, fingerprint: await fingerprint(file.token), from: { path } };
    case "absent":
      return { kind: "absent", path };
    case "unusable":
      return file;
  }
}

/** Where a token comes from, in words. */
export function sourceText(from: Extract<RelayCredential, { readonly kind: "token" }>["from"]): string {
  return "path" in from ? from.path : `${from.variable} in the environment`;
}
