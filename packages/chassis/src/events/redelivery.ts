import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import { steadyLogOf } from "../base/steady-log.ts";
import type { Delivery, OutgoingMessage, Publisher } from "../broker/broker.ts";
import { partitionHeader, retryDelays, topologyOf } from "../contract/topology.ts";
import type { DeliveryOutcome } from "./delivery-counts.ts";

/** The header of a dead letter that identifies this delivery of it. */
export const deliveryHeader = "x-dead-letter-id";

const maxAttempts = 30;
// Beyond as many messages of one user in a second, the next longer delay is used.
const maxAsidePerDelay = [50, 200];
const firstPauseMs = 500;
const maxPauseMs = 60_000;
// An AMQP short string has at most 255 bytes, and a character at most four.
const maxShortText = 60;

export type Redelivery = {
  /**
   * Moves the message to the retry queue for its attempt, from which it is delivered again; after
   * `maxAttempts`, to the dead letters.
   */
  retryLater(delivery: Delivery, reason: string): Promise<void>;
  /**
   * Moves the message to a retry queue without counting an attempt, because it was not handled: for
   * a second, or longer if many messages of `user` were set aside in this second. So the work for
   * them is bounded, however many they are.
   */
  setAside(delivery: Delivery, user: string): Promise<void>;
  /**
   * Moves the message to the retry queue for a second, without counting an attempt, because nobody
   * has tried to handle it alone.
   */
  sendAlone(delivery: Delivery): Promise<void>;
  /**
   * Moves the message to the dead letters, with the reason, its attempts and its first-seen time.
   */
  deadLetter(delivery: Delivery, reason: string): Promise<void>;
};

type History = { readonly attempt: number; readonly firstSeenMs: number };

/**
 * Moves messages of `service` to its retry queues and dead letters. A message is acknowledged only
 * after its copy is confirmed: a crash in between leaves a duplicate, not a loss. All functions
 * retry until the broker has confirmed and routed the copy, or until `signal` is aborted; the
 * message then stays unsettled.
 */
export function createRedelivery(options: {
  readonly service: string;
  readonly publisher: Publisher;
  readonly signal: AbortSignal;
  /** Counts what becomes of a message. */
  readonly count: (delivery: Delivery, outcome: DeliveryOutcome) => void;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}): Redelivery {
  const { service, publisher, signal, count, newId, clock, log } = options;
  const topology = topologyOf(service);
  let second = 0;
  const asideInSecond = new Map<string, number>();

  /** Counts one more for the user in this second. */
  const countAside = (user: string): number => {
    const now = Math.floor(clock.monotonicMs() / 1_000);
    if (now !== second) asideInSecond.clear();
    second = now;
    const count = (asideInSecond.get(user) ?? 0) + 1;
    asideInSecond.set(user, count);
    return count;
  };
  const retry = (delivery: Delivery, nth: number, { attempt, firstSeenMs }: History) =>
    republish(delivery, {
      exchange: topology.retry,
      routingKey: retryDelays[Math.min(nth, retryDelays.length - 1)]?.label ?? "",
      headers: { "x-attempt": attempt, "x-first-seen": firstSeenMs },
    });
  const republish = async (
    delivery: Delivery,
    target: Pick<OutgoingMessage, "exchange" | "routingKey" | "headers">,
  ) => {
    for (let tried = 1; ; tried += 1) {
      const outcome = await publisher.publish({
        ...target,
        headers: { ...partitionOf(delivery), ...target.headers },
        body: delivery.body,
        messageId: shortened(delivery.messageId),
        type: shortened(delivery.type),
        timestampMs: delivery.timestampMs ?? clock.nowMs(),
      });
      if (outcome === "confirmed") return delivery.ack();
      if (outcome !== "unknown") {
        steadyLogOf(log).error(
          { messageId: delivery.messageId, ...target, outcome },
          "a message could not be republished",
          `${target.exchange} ${outcome}`,
        );
      }
      if (signal.aborted) return;
      const pauseMs = Math.min(firstPauseMs * tried, maxPauseMs);
      await pause(pauseMs, undefined, { signal }).catch(() => {});
    }
  };
  const historyOf = ({ headers }: Delivery): History => {
    const { "x-attempt": attempt, "x-first-seen": firstSeenMs } = headers;
    const isAttempt = Number.isInteger(attempt) && Number(attempt) >= 0;
    return {
      attempt: isAttempt ? Math.min(Number(attempt), maxAttempts) : 0,
      firstSeenMs: typeof firstSeenMs === "number" ? firstSeenMs : clock.nowMs(),
    };
  };
  const deadLetter = (delivery: Delivery, reason: string) => {
    count(delivery, "dead_letter");
    const { attempt, firstSeenMs } = historyOf(delivery);
    const { messageId, type } = delivery;
    steadyLogOf(log).warn({ messageId, type, reason }, "dead letter", reason);
    return republish(delivery, {
      exchange: topology.deadLetter,
      routingKey: "",
      headers: {
        "x-reason": reason,
        "x-attempt": attempt,
        "x-first-seen": firstSeenMs,
        [deliveryHeader]: newId(),
      },
    });
  };

  return {
    deadLetter,
    retryLater(delivery, reason) {
      const { attempt, firstSeenMs } = historyOf(delivery);
      if (attempt >= maxAttempts) return deadLetter(delivery, `${reason}, ${attempt} times`);
      count(delivery, "retried");
      return retry(delivery, attempt, { attempt: attempt + 1, firstSeenMs });
    },
    sendAlone(delivery) {
      count(delivery, "sent_alone");
      return retry(delivery, 0, historyOf(delivery));
    },
    setAside(delivery, user) {
      count(delivery, "set_aside");
      const ofUser = countAside(user);
      const nth = maxAsidePerDelay.filter((max) => ofUser > max).length;
      return retry(delivery, nth, historyOf(delivery));
    },
  };
}

/** What a partitioned queue routes the copy by. */
function partitionOf({ headers }: Delivery): Record<string, number> {
  const partition = headers[partitionHeader];
  return typeof partition === "number" ? { [partitionHeader]: partition } : {};
}

function shortened(text: string | undefined): string {
  return text?.slice(0, maxShortText) ?? "";
}
