/**
 * Opening the stores of the settings, with words for the user when that fails.
 *
 * @module
 */
import { openStore, type Store, type StoreOptions } from "../store/store.ts";
import { knownCause } from "./failure.ts";

/** How {@linkcode openConfiguredStore} ended. */
export type OpenedStore =
  /** The caller closes it. */
  | { readonly kind: "open"; readonly store: Store }
  /** `hint` is what helps, where that is known. */
  | { readonly kind: "refused"; readonly sentence: string; readonly hint: string | undefined };

/** Opens the stores. Never rejects. */
export async function openConfiguredStore(storage: StoreOptions): Promise<OpenedStore> {
  try {
    return { kind: "open", store: await openStore(storage) };
  } catch (error) {
    const cause = knownCause(error instanceof Error ? error.cause : undefined);
    return {
      kind: "refused",
      sentence: error instanceof Error ? error.message : "The store cannot be opened.",
      hint: cause && `The cause: ${cause}`,
    };
  }
}
