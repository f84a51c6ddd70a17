/**
 * The work that must not be cut off: a provider that has answered has used up a code or a refresh token, and what it gave is
 * lost unless it is stored.
 *
 * @module
 */
import type { Refresher } from "../credential/refresh.ts";
import type { SignIns } from "../credential/sign_in.ts";

/** Knows what is under way. */
export interface WorkInFlight {
  /** The same refresher, watched. */
  aroundRefresher(refresher: Refresher): Refresher;
  /** The same sign-ins, watched. */
  aroundSignIns(signIns: SignIns): SignIns;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

/** Makes a {@linkcode WorkInFlight}. */
export function createWorkInFlight(): WorkInFlight {
  const running = new Set<Promise<unknown>>();

  function watch<T>(work: Promise<T>): Promise<T> {
    running.add(work);
    const forget = () => void running.delete(work);
    work.then(forget, forget);
    return work;
  }

  return {
    aroundRefresher: (refresher) => ({
      ensureFresh: (session) => watch(refresher.ensureFresh(session)),
      renewRejected: (session) => watch(refresher.renewRejected(session)),
    }),
    aroundSignIns: (signIns) => ({
      start: (provider) => watch(signIns.start(provider)),
      poll: (sessionId) => watch(signIns.poll(sessionId)),
    }),
    async settled() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}
