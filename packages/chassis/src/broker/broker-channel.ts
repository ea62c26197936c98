import type { Channel, Connection } from "amqplib/callback_api";
import type { Logger } from "pino";
import { holdOpen } from "../base/hold-open.ts";
import {
  type BrokerCounts,
  type BrokerLimits,
  type Link,
  reasonOf,
  withoutThrow,
} from "./broker-connection.ts";

/**
 * Keeps a channel open on the link: opens a new one each time the broker closes it, until the
 * signal aborts, which closes the channel, or the link is gone. Resolves when no channel is left;
 * never rejects.
 *
 * `create` opens a channel on the connection, adds its own listeners immediately and calls `ready`
 * once the channel is in use. It may ignore errors: each one ends in a closed channel. This uses
 * amqplib's callbacks, because its promises deliver the channel only after everything else in the
 * same packet was processed, so that a close could be missed.
 */
export function keepChannel(options: {
  what: string;
  link: Link;
  create: (connection: Connection, ready: () => void) => Channel;
  signal: AbortSignal;
  limits: BrokerLimits;
  counts: BrokerCounts;
  log: Logger;
}): Promise<void> {
  const { what, link, limits, counts, log } = options;
  const signal = AbortSignal.any([options.signal, link.gone]);
  return holdOpen({
    what,
    async hold(opened) {
      const reason = await holdChannel({ ...options, opened });
      if (!signal.aborted) counts.closedChannels += 1;
      return reason;
    },
    pauses: limits,
    signal,
    log,
  });
}

/** One channel from its first frame to its end; resolves with the reason for the end. */
function holdChannel(options: {
  what: string;
  link: Link;
  create: (connection: Connection, ready: () => void) => Channel;
  opened: () => void;
  signal: AbortSignal;
  limits: BrokerLimits;
  log: Logger;
}): Promise<string> {
  const { what, link, create, opened, signal, limits, log } = options;
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const over = new AbortController();
  const expect = (answer: string, waitMs: number) => {
    // A broker that does not answer on one channel has lost the connection or is in a bad state.
    const timer = setTimeout(() => link.cut(`${what}: no ${answer} in ${waitMs} ms`), waitMs);
    over.signal.addEventListener("abort", () => clearTimeout(timer));
    return timer;
  };
  const end = (reason: string) => {
    over.abort();
    resolve(reason);
  };

  const deadline = expect("channel", limits.channelTimeoutMs);
  try {
    const channel = create(link.connection, () => {
      clearTimeout(deadline);
      opened();
    });
    let failure: Error | undefined;
    channel.on("error", (error) => {
      failure = error;
    });
    channel.on("close", () => end(reasonOf(failure)));
    channel.on("handler-error", (error, event) =>
      log.error({ err: error, event }, `${what} failed`),
    );
    const close = () => {
      expect("answer to the close", limits.closeTimeoutMs);
      withoutThrow(() => channel.close());
    };
    signal.addEventListener("abort", close, { signal: over.signal });
  } catch (error) {
    // Opening a channel throws only on a connection that has ended without a close event.
    end(reasonOf(error));
    link.cut(reasonOf(error));
  }
  return ended;
}
