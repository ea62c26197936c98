import { type Connection, connect } from "amqplib/callback_api";
import type { Logger } from "pino";
import { holdOpen, type ReopenPauses } from "../base/hold-open.ts";

/** The limits of everything that talks to the broker. */
export type BrokerLimits = ReopenPauses & {
  /** How long a connection may take from the first packet to ready for use. */
  readonly connectTimeoutMs: number;
  /**
   * A silent peer is considered lost after two to three of these; the protocol uses whole seconds.
   */
  readonly heartbeatS: number;
  /** How long the broker may take to open a channel and start its consumer. */
  readonly channelTimeoutMs: number;
  /** How long the broker may take to answer a close before the socket is cut. */
  readonly closeTimeoutMs: number;
  /** How many messages may be unconfirmed; further ones are refused. */
  readonly maxUnconfirmed: number;
};

/** What has happened how often since the start of the process, for metrics to read. */
export type BrokerCounts = {
  /** Messages that were published, by their outcome; see `PublishOutcome`. */
  confirmed: number;
  /** A number that rises says that a queue or a binding is missing. */
  returned: number;
  nacked: number;
  unknown: number;
  /** Channels that the broker closed or refused, as it does if a queue or exchange is missing. */
  closedChannels: number;
};

/** One connection, open or already closed. */
export type Link = {
  readonly connection: Connection;
  /** Aborts when the connection can no longer be used: it is lost or being closed. */
  readonly gone: AbortSignal;
  /** Drops the connection without closing it at the broker. */
  cut(reason: string): void;
};

/** A connection that reconnects each time it is lost. Disposing closes it, within the limit. */
export type BrokerConnection = AsyncDisposable & {
  /** The current link, if there is one. */
  readonly link: Link | undefined;
  /**
   * Calls the listener with each new link, before it is used; returns a function to unsubscribe.
   */
  onLink(listener: (link: Link) => void): () => void;
};

/**
 * Starts connecting in the background and retries indefinitely. Throws only for an invalid `url`.
 */
export function startBrokerConnection(options: {
  url: string;
  name: string;
  limits: BrokerLimits;
  log: Logger;
}): BrokerConnection {
  const { name, limits, log } = options;
  const address = addressOf(options.url, limits);
  const stop = new AbortController();
  const listeners = new Set<(link: Link) => void>();
  let link: Link | undefined;

  const running = holdOpen({
    what: "broker connection",
    pauses: limits,
    signal: stop.signal,
    log,
    hold: (opened) =>
      holdLink({
        address,
        name,
        limits,
        log,
        stop: stop.signal,
        onOpen: (open) => {
          link = open;
          open.gone.addEventListener("abort", () => {
            link = undefined;
          });
          opened();
          for (const listener of listeners) listener(open);
        },
      }),
  });

  return {
    get link() {
      return link;
    },
    onLink(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

/** Runs one connection from the first packet to its end; resolves with the reason it ended. */
function holdLink(options: {
  address: string;
  name: string;
  limits: BrokerLimits;
  log: Logger;
  stop: AbortSignal;
  onOpen: (link: Link) => void;
}): Promise<string> {
  const { limits, log, stop, onOpen } = options;
  const socket = new AbortController();
  const gone = new AbortController();
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const end = (reason: string) => {
    gone.abort();
    resolve(reason);
  };
  const cut = (reason: string) => {
    end(reason);
    socket.abort();
  };
  const cutAfter = (waitMs: number, reason: string) => {
    const timer = setTimeout(cut, waitMs, `${reason} within ${waitMs} ms`);
    void ended.then(() => clearTimeout(timer));
    return timer;
  };

  const onConnected = (refusal: Error | null, connection: Connection) => {
    clearTimeout(deadline);
    if (refusal !== null) return end(reasonOf(refusal));
    let failure: Error | undefined;
    connection.on("error", (error) => {
      failure = error;
    });
    connection.on("close", (error) => {
      end(reasonOf(error ?? failure));
      // amqplib only half-closes the socket: a silent peer would leave the other half for good.
      setTimeout(() => socket.abort(), limits.closeTimeoutMs).unref();
    });
    connection.on("blocked", (reason) => log.warn({ reason }, "the broker accepts no messages"));
    connection.on("unblocked", () => log.info("the broker accepts messages again"));
    const close = () => {
      gone.abort();
      cutAfter(limits.closeTimeoutMs, "the broker did not answer the close");
      withoutThrow(() => connection.close());
    };
    stop.removeEventListener("abort", giveUp);
    stop.addEventListener("abort", close, { signal: gone.signal });
    onOpen({ connection, gone: gone.signal, cut });
  };

  const giveUp = () => cut("stopped");
  stop.addEventListener("abort", giveUp, { signal: gone.signal });
  const deadline = cutAfter(limits.connectTimeoutMs, "not connected");
  try {
    connect(options.address, socketOptionsOf(options.name, socket.signal), onConnected);
  } catch (error) {
    end(reasonOf(error));
  }
  return ended;
}

function addressOf(url: string, limits: BrokerLimits): string {
  const address = new URL(url);
  address.searchParams.set("heartbeat", String(limits.heartbeatS));
  return address.href;
}

function socketOptionsOf(name: string, signal: AbortSignal) {
  return {
    // Without it a message of more than one packet waits 40 ms for the peer's delayed ack.
    noDelay: true,
    signal,
    clientProperties: { connection_name: name },
  };
}

/** Describes what ended a connection or a channel; amqplib gives no error if we closed it. */
export function reasonOf(error: unknown): string {
  if (error === undefined) return "closed";
  if (!(error instanceof Error)) return String(error);
  // A refused connection to a name with several addresses has a code but no message.
  return error.message || ("code" in error ? String(error.code) : error.name);
}

/** Sends on a connection or channel that may be closing, where amqplib throws; nothing is lost. */
export function withoutThrow(send: () => void): void {
  try {
    send();
  } catch {
    // The end of the connection or channel is reported by its close event.
  }
}

/** Calls a callback of the caller. Returns whether it succeeded; logs what it throws. */
export function safely(log: Logger, callback: () => void): boolean {
  try {
    callback();
    return true;
  } catch (error) {
    log.error({ err: error }, "a listener failed");
    return false;
  }
}
