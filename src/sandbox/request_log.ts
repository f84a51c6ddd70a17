/**
 * The memory of the requests that reached the sandbox, bounded in number and size.
 *
 * @module
 */
import type { RecordedRequest } from "./contract.ts";

/** Bounds of the memory. */
export interface RequestLogLimits {
  /** Requests that are kept. */
  readonly maxRequests: number;
  /** Characters of a body that are kept. */
  readonly maxBodyCharacters: number;
  /** Characters of all kept bodies together; the oldest requests are forgotten above it. */
  readonly maxTotalCharacters: number;
}

/** Picks requests; an absent member picks all. */
export interface RequestFilter {
  /** The upstream that was asked. */
  readonly upstream?: RecordedRequest["upstream"];
  /** The step. */
  readonly on?: RecordedRequest["on"];
  /** With its mount prefix; a query in the record only counts when this has one. */
  readonly path?: string;
  /** How the answer ended. */
  readonly end?: NonNullable<RecordedRequest["end"]>;
}

/** The memory. */
export interface RequestLog {
  /** Remembers a request and returns its record, whose `on` and `end` may still be set. */
  add(request: Omit<RecordedRequest, "on" | "end">): RecordedRequest;
  /** The remembered requests that match, oldest first. */
  find(filter: RequestFilter): readonly RecordedRequest[];
  /** Resolves when at least `count` remembered requests match; rejects when `signal` aborts first. */
  wait(filter: RequestFilter, count: number, signal?: AbortSignal): Promise<readonly RecordedRequest[]>;
  /** Forgets everything. Waiters go on waiting. */
  clear(): void;
}

/** Enough for a day of clicking and for the largest test. */
export const REQUEST_LOG_LIMITS: RequestLogLimits = Object.freeze({
  maxRequests: 2000,
  maxBodyCharacters: 1024 * 1024,
  maxTotalCharacters: 32 * 1024 * 1024,
});

/** An empty memory. */
export function createRequestLog(limits: RequestLogLimits = REQUEST_LOG_LIMITS): RequestLog {
  const records: RecordedRequest[] = [];
  const watchers = new Set<() => void>();
  let totalCharacters = 0;

  const changed = () => {
    for (const look of [...watchers]) look();
  };
  const find = (filter: RequestFilter) => records.filter((record) => matches(record, filter));

  return {
    find,

    add(request) {
      const body = request.body.slice(0, limits.maxBodyCharacters);
      const record = observed({ ...request, body }, changed);
      records.push(record);
      totalCharacters += body.length;
      while (
        records.length > limits.maxRequests ||
        (totalCharacters > limits.maxTotalCharacters && records.length > 1)
      ) {
        totalCharacters -= records.shift()?.body.length ?? 0;
      }
      changed();
      return record;
    },

    wait(filter, count, signal) {
      return new Promise((resolve, reject) => {
        const stop = () => {
          watchers.delete(look);
          signal?.removeEventListener("abort", abandon);
        };
        const look = () => {
          const found = find(filter);
          if (found.length < count) return;
          stop();
          resolve(found);
        };
        const abandon = () => {
          stop();
          reject(signal?.reason);
        };
        if (signal?.aborted === true) return abandon();
        watchers.add(look);
        signal?.addEventListener("abort", abandon, { once: true });
        look();
      });
    },

    clear() {
      records.length = 0;
      totalCharacters = 0;
    },
  };
}

function matches(record: RecordedRequest, filter: RequestFilter): boolean {
  return (filter.upstream === undefined || record.upstream === filter.upstream) &&
    (filter.on === undefined || record.on === filter.on) &&
    (filter.path === undefined || record.path === filter.path ||
      record.path.split("?", 1)[0] === filter.path) &&
    (filter.end === undefined || record.end === filter.end);
}

/** A record that tells when its step or its end becomes known. Both print in JSON like plain members. */
function observed(request: Omit<RecordedRequest, "on" | "end">, changed: () => void): RecordedRequest {
  let on: RecordedRequest["on"] = "other";
  let end: RecordedRequest["end"];
  return {
    ...request,
    get on() {
      return on;
    },
    set on(value) {
      on = value;
      changed();
    },
    get end(): RecordedRequest["end"] {
      return end;
    },
    set end(value: RecordedRequest["end"]) {
      end = value;
      changed();
    },
  };
}
