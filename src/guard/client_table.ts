/**
 * The clients that make requests at the moment, and what each has spent.
 *
 * @module
 */
import type { Holding } from "./limit_parts.ts";

/** A client that has spent something, or has requests under way. */
export interface Client {
  /** Requests spent that have not come back yet, at `atMs`. */
  spent: number;
  /** Milliseconds since the epoch. */
  atMs: number;
  /** Requests under way. */
  active: number;
  /** What this instance may do with it; undefined: its equal part. */
  holding: Holding | undefined;
  /** When it was refused last although another instance may have had room, milliseconds since the epoch. */
  starvedAtMs: number;
  /** This instance has told the others that it could use more. */
  wants: boolean;
}

/** What {@linkcode ClientTable} takes. */
export interface ClientTableOptions {
  /** The burst, requests. */
  readonly burst: number;
  /** How fast spent requests come back, per millisecond. */
  readonly ratePerMs: number;
  /** Clients that are kept at most, those with requests under way apart. */
  readonly maxClients: number;
}

/**
 * Clients by key. It shrinks by {@linkcode ClientTable.sweep}, and never grows above its bound: whoever sends from a flood of
 * addresses makes it forget those that were seen longest ago and have nothing under way. They get back what they had spent; a
 * flood locks nobody out.
 */
export class ClientTable {
  readonly burst: number;
  readonly #ratePerMs: number;
  readonly #maxClients: number;
  /** The one seen longest ago first. */
  readonly #clients = new Map<string, Client>();
  #equal: Holding = Object.freeze({ burst: 1, rate: 1, places: 0 });

  constructor({ burst, ratePerMs, maxClients }: ClientTableOptions) {
    this.burst = burst;
    this.#ratePerMs = ratePerMs;
    this.#maxClients = maxClients;
  }

  /** What this instance may do with clients that have no holding of their own. */
  get equal(): Holding {
    return this.#equal;
  }

  /** Clients in the table. */
  get size(): number {
    return this.#clients.size;
  }

  /** Changes everybody's equal part from now on. */
  divide(equal: Holding, nowMs: number): void {
    for (const client of this.#clients.values()) this.settle(client, nowMs);
    this.#equal = equal;
  }

  /** The client as it stands now; `holding` is asked for when the client is new. */
  see(key: string, nowMs: number, holding: (key: string) => Holding | undefined): Client {
    let client = this.#clients.get(key);
    if (client === undefined) {
      if (this.#clients.size >= this.#maxClients) this.#makeRoom();
      client = { spent: 0, atMs: nowMs, active: 0, holding: holding(key), starvedAtMs: 0, wants: false };
    } else {
      this.#clients.delete(key);
      this.settle(client, nowMs);
    }
    this.#clients.set(key, client);
    return client;
  }

  /** The client if it is in the table, as it stands now. */
  find(key: string, nowMs: number): Client | undefined {
    const client = this.#clients.get(key);
    if (client !== undefined) this.settle(client, nowMs);
    return client;
  }

  /** All clients, as they stood when they were last seen. */
  entries(): IterableIterator<[string, Client]> {
    return this.#clients.entries();
  }

  /** Lets what was spent come back up to now. Must be called before a client's holding changes. */
  settle(client: Client, nowMs: number): void {
    const elapsedMs = nowMs - client.atMs;
    // A clock that was set back gives nothing back, and takes nothing.
    if (elapsedMs > 0 && client.spent > 0) {
      client.spent = Math.max(0, client.spent - elapsedMs * this.rateOf(client));
    }
    client.atMs = nowMs;
  }

  /** How fast this client's spent requests come back here, per millisecond. */
  rateOf({ holding = this.#equal }: Client): number {
    return this.#ratePerMs * holding.rate;
  }

  /** Forgets clients that have nothing spent and nothing under way: they are as good as new. */
  sweep(nowMs: number): void {
    for (const [key, client] of this.#clients) {
      this.settle(client, nowMs);
      if (client.spent === 0 && client.active === 0) this.#clients.delete(key);
    }
  }

  #makeRoom(): void {
    for (const [key, { active }] of this.#clients) {
      if (active > 0) continue;
      this.#clients.delete(key);
      return;
    }
  }
}
