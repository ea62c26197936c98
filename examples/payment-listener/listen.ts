import { setTimeout as pause } from "node:timers/promises";
import { decodeEvents, EventRefusedError } from "@settle/sdk";
import amqp, { type Channel, type ConsumeMessage } from "amqplib";
import type { Books } from "./books.ts";

/**
 * The prefetch limit; deliveries that are unacknowledged when this program dies are redelivered.
 */
const prefetch = 50;
const firstPauseMs = 250;
const maxPauseMs = 30_000;
const heartbeatS = 10;
const connectTimeoutMs = 10_000;
const closeTimeoutMs = 2_000;

type ListenOptions = {
  readonly url: string;
  readonly queue: string;
  readonly books: Books;
  readonly signal: AbortSignal;
};

/**
 * Books the events in `queue` until `signal` is aborted. Reconnects whenever necessary, after
 * pauses that grow until an event is settled. Rejects only if retries cannot help, because the
 * broker refuses the user.
 */
export async function listen(options: ListenOptions): Promise<void> {
  const { signal } = options;
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await listenOnce(options, () => {
        failures = 0;
      });
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      if (message.includes("ACCESS-REFUSED")) throw error;
      // A refused connection to a name with several addresses has a code but no message.
      console.error(`not listening: ${message || code}`);
    }
    await pause(pauseMsAfter(failures), undefined, { signal }).catch(() => {});
  }
}

/** Listens on one connection: resolves once `signal` is aborted, rejects on any failure. */
async function listenOnce(options: ListenOptions, onSettled: () => void): Promise<void> {
  const { url, queue, books, signal } = options;
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  over.catch(() => {});
  const end = () => resolve();
  signal.addEventListener("abort", end);
  const gone = new AbortController();
  const socket = new AbortController();
  const socketOptions = { timeout: connectTimeoutMs, signal: socket.signal };
  const connection = await amqp.connect(withHeartbeat(url), socketOptions);
  const closed = new Promise((resolve) => connection.on("close", resolve));
  try {
    connection.on("error", reject);
    connection.on("close", () => reject(new Error("the connection was closed")));
    const channel = await connection.createChannel();
    channel.on("error", reject);
    await channel.prefetch(prefetch);
    let last = Promise.resolve();
    await channel.consume(queue, (message) => {
      if (message === null) return reject(new Error(`the queue ${queue} was deleted`));
      last = last
        .then(() => settle(channel, message, books, gone.signal))
        .then(onSettled)
        .catch(reject);
    });
    console.error(`listening to ${queue}`);
    if (signal.aborted) end();
    await over;
  } finally {
    signal.removeEventListener("abort", end);
    gone.abort();
    // Returns unacknowledged deliveries to the queue. If the connection dies before the broker
    // answers, amqplib never settles the promise.
    connection.close().catch(() => {});
    const closing = new AbortController();
    const timeout = pause(closeTimeoutMs, undefined, { signal: closing.signal }).catch(() => {});
    await Promise.race([closed, timeout]);
    closing.abort();
    socket.abort();
  }
}

/**
 * Acknowledges a delivery after the effect of each of its events is on disk; rejects once `gone` is
 * aborted.
 */
async function settle(
  channel: Channel,
  message: ConsumeMessage,
  books: Books,
  gone: AbortSignal,
): Promise<void> {
  gone.throwIfAborted();
  let events: ReturnType<typeof decodeEvents>;
  try {
    events = decodeEvents(message);
  } catch (error) {
    if (!(error instanceof EventRefusedError)) throw error;
    if (error.why === "unknown-type") {
      // A newer event type, which this program does not have to process.
      console.error(`ignored: ${error.message}`);
      channel.ack(message);
    } else {
      console.error(`rejected: ${error.message}`);
      channel.nack(message, false, false);
    }
    return;
  }
  for (const { id, event } of events) {
    if (event.$typeName !== "events.v1.PaymentResultEvent") continue;
    const isNew = await bookAtLast(() => books.book(id, event), gone);
    console.error(`${isNew ? "booked" : "already booked"}: order ${event.orderId}`);
  }
  channel.ack(message);
}

/**
 * Retries the booking until it succeeds or `gone` is aborted. The fault is in the books and never
 * in the event, so the event is not returned to the queue: each return would redeliver all waiting
 * events, and after the limit of the queue's policy they would be dead-lettered.
 */
async function bookAtLast(book: () => boolean, gone: AbortSignal): Promise<boolean> {
  for (let failures = 0; ; failures += 1) {
    try {
      return book();
    } catch (error) {
      console.error(`not booked yet: ${error instanceof Error ? error.message : error}`);
    }
    await pause(pauseMsAfter(failures), undefined, { signal: gone });
  }
}

/** Grows with the failures, with jitter, so that listeners do not all reconnect at once. */
function pauseMsAfter(failures: number): number {
  return Math.min(firstPauseMs * 2 ** failures, maxPauseMs) * (0.5 + Math.random() / 2);
}

function withHeartbeat(url: string): string {
  const full = new URL(url);
  full.searchParams.set("heartbeat", String(heartbeatS));
  return full.href;
}
