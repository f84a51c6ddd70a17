/// <reference lib="dom" />
/**
 * Where the session JWT stays between two loads of the page: this tab, nowhere else.
 *
 * @module
 */

/** Keeps at most one session JWT. */
export interface SessionKeeper {
  /** The kept JWT. */
  read(): string | undefined;
  keep(jwt: string): void;
  forget(): void;
}

/** The key in sessionStorage. */
export const sessionKey = "authai:jwt";

/**
 * Keeps the JWT in the tab's sessionStorage, which ends with the tab and which no other tab can read. Where the browser
 * blocks storage, the JWT lives until the page is left.
 *
 * @param storage Gives the storage; browsers throw in the getter when site data is blocked.
 */
export function createSessionKeeper(storage: () => Storage): SessionKeeper {
  let current: string | undefined;
  const attempt = (action: (storage: Storage) => void) => {
    try {
      action(storage());
    } catch {
      // Blocked or full: `current` has to do.
    }
  };
  attempt((storage) => current = storage.getItem(sessionKey) ?? undefined);
  return {
    read: () => current,
    keep(jwt) {
      current = jwt;
      attempt((storage) => storage.setItem(sessionKey, jwt));
    },
    forget() {
      current = undefined;
      attempt((storage) => storage.removeItem(sessionKey));
    },
  };
}
