import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import { steadyLogOf } from "../base/steady-log.ts";
import type { Broker, Delivery } from "../broker/broker.ts";

const prefetch = 100;
const maxTextLength = 160;
const textOfHint = /^(\S+) (\d{1,18})$/;

/** Indicates that something of `key` has changed, up to `revision`. */
export type Hint = { readonly key: string; readonly revision: bigint };

/** Listens for the hints of one key until it is disposed. */
export type HintListener = Disposable & {
  /**
   * Resolves with the newest revision received since the listener was created, as soon as it is
   * above `revision`; with undefined when the time is up. Rejects with the signal's reason. One
   * call at a time.
   */
  above(revision: bigint, waitMs: number, signal: AbortSignal): Promise<bigint | undefined>;
};

/**
 * Notifies all replicas of a service of a change, so that waiting calls read it immediately. A hint
 * is not an event: it is sent after the commit and may be lost, so listeners also have to read from
 * time to time without one.
 */
export type Hints = AsyncDisposable & {
  /** Notifies local listeners at once, and other replicas through the broker. Never throws. */
  tell(hints: readonly Hint[]): void;
  listen(key: string): HintListener;
};

/** Connects to the service's hints exchange, with a queue for this replica alone. */
export function createHints(options: {
  readonly broker: Broker;
  /** A fanout exchange; see `hints` of the topology. */
  readonly exchange: string;
  readonly clock: Clock;
  readonly log: Logger;
}): Hints {
  const { broker, exchange, clock, log } = options;
  const { publisher } = broker;
  const replica = randomUUID();
  const listeners = new Map<string, Set<Listener>>();

  const hear = (hints: Iterable<Hint>) => {
    for (const { key, revision } of hints) {
      for (const listener of listeners.get(key) ?? []) listener.hear(revision);
    }
  };
  const subscription = broker.subscribe({
    queue: { copying: exchange },
    prefetch,
    onDelivery(delivery) {
      delivery.ack();
      // The listeners here already know the hints of this replica.
      if (delivery.messageId?.startsWith(replica)) return;
      hear(readHints(delivery, log));
    },
  });
  let told = 0;

  return {
    tell(hints) {
      if (hints.length === 0) return;
      hear(hints);
      told += 1;
      // The outcome does not matter: the periodic reads of listeners make up for a lost hint.
      void publisher.publish({
        exchange,
        routingKey: "",
        body: Buffer.from(hints.map(({ key, revision }) => `${key} ${revision}`).join("\n")),
        contentType: "text/plain",
        messageId: `${replica} ${told}`,
        type: "hints",
        timestampMs: clock.nowMs(),
      });
    },
    listen(key) {
      const listener = new Listener(() => {
        const others = listeners.get(key);
        others?.delete(listener);
        if (others?.size === 0) listeners.delete(key);
      });
      const all = listeners.get(key) ?? new Set();
      listeners.set(key, all.add(listener));
      return listener;
    },
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  };
}

function* readHints({ body }: Delivery, log: Logger): Generator<Hint> {
  for (const line of body.toString().split("\n")) {
    const [, key, revision] = (line.length <= maxTextLength && textOfHint.exec(line)) || [];
    if (key !== undefined && revision !== undefined) yield { key, revision: BigInt(revision) };
    else steadyLogOf(log).warn({}, "a hint could not be parsed");
  }
}

class Listener implements HintListener {
  readonly #end: () => void;
  #heard = -1n;
  #wanted = 0n;
  #wake: (() => void) | undefined;

  constructor(end: () => void) {
    this.#end = end;
  }

  hear(revision: bigint): void {
    if (revision > this.#heard) this.#heard = revision;
    if (this.#heard > this.#wanted) this.#wake?.();
  }

  above(revision: bigint, waitMs: number, signal: AbortSignal): Promise<bigint | undefined> {
    if (this.#heard > revision) return Promise.resolve(this.#heard);
    return new Promise((resolve, reject) => {
      const settle = (how: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#wake = undefined;
        how();
      };
      const onAbort = () => settle(() => reject(signal.reason));
      const timer = setTimeout(() => settle(() => resolve(undefined)), waitMs);
      this.#wanted = revision;
      this.#wake = () => settle(() => resolve(this.#heard));
      signal.addEventListener("abort", onAbort);
      if (signal.aborted) onAbort();
    });
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
