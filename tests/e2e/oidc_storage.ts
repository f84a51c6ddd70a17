/**
 * The storage that `npm:oidc-provider` asks its operators to write, in memory.
 *
 * @module
 */
import { errors } from "oidc-provider";

/** What the server stores about a token, a code or a session, as far as its storage has to know it. */
export interface OidcPayload {
  readonly grantId?: string;
  readonly uid?: string;
  readonly userCode?: string;
  /** Unix seconds; the server's models find expired entries expired by it. */
  exp?: number;
  /** Unix seconds. */
  consumed?: number;
}

/** The storage of one kind of entry. */
export interface OidcAdapter {
  upsert(id: string, payload: OidcPayload): Promise<void>;
  find(id: string): Promise<OidcPayload | undefined>;
  findByUid(uid: string): Promise<OidcPayload | undefined>;
  findByUserCode(userCode: string): Promise<OidcPayload | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}

/** The storage of one server. */
export interface OidcStorage {
  /** The storage of a kind of entry, e.g. `DeviceCode`. */
  readonly adapter: (model: string) => OidcAdapter;
  /** Lets the next poll with a device code be told `slow_down`. */
  slowDownNextPoll(): void;
  /** Lets the time of all device codes be over. */
  expireDeviceCodes(): void;
}

/** Creates an empty storage. */
export function createOidcStorage(): OidcStorage {
  const entries = new Map<string, OidcPayload>();
  let slowDowns = 0;

  function adapter(model: string): OidcAdapter {
    const keyOf = (id: string) => `${model}:${id}`;
    const findBy = (member: "uid" | "userCode", value: string) => {
      const ofModel = [...entries].filter(([key]) => key.startsWith(keyOf("")));
      return Promise.resolve(ofModel.find(([, payload]) => payload[member] === value)?.[1]);
    };
    return {
      upsert(id, payload) {
        entries.set(keyOf(id), payload);
        return Promise.resolve();
      },
      find(id) {
        // The server leaves the pace of polls to its operators, and has the words for it.
        if (model === "DeviceCode" && slowDowns > 0) {
          slowDowns -= 1;
          return Promise.reject(new errors.SlowDown());
        }
        return Promise.resolve(entries.get(keyOf(id)));
      },
      findByUid: (uid) => findBy("uid", uid),
      findByUserCode: (userCode) => findBy("userCode", userCode),
      consume(id) {
        const payload = entries.get(keyOf(id));
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
        return Promise.resolve();
      },
      destroy(id) {
        entries.delete(keyOf(id));
        return Promise.resolve();
      },
      revokeByGrantId(grantId) {
        for (const [key, payload] of entries) if (payload.grantId === grantId) entries.delete(key);
        return Promise.resolve();
      },
    };
  }

  return {
    adapter,
    slowDownNextPoll() {
      slowDowns += 1;
    },
    expireDeviceCodes() {
      for (const [key, payload] of entries) if (key.startsWith("DeviceCode:")) payload.exp = 1;
    },
  };
}
