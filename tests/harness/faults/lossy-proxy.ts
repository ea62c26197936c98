import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A proxy for PostgreSQL that can lose its responses. */
export type LossyProxy = AsyncDisposable & {
  /** The URL of the database through the proxy. */
  readonly url: string;
  /**
   * Waits for the n-th COMMIT from now on of a transaction with a statement that contains `sent`,
   * forwards it, waits for the server's response, and closes the connection instead of returning
   * the response. Resolves once this was done to `times` such commits in a row, by default one.
   * Only one call at a time is supported.
   */
  loseCommits(options: {
    readonly sent: string;
    readonly nth?: number;
    readonly times?: number;
  }): Promise<void>;
};

type Trap = { readonly sent: string; passing: number; losing: number; readonly done: () => void };

/** Starts a proxy on a free port of loopback in front of the server of `databaseUrl`. */
export async function startLossyProxy(databaseUrl: string): Promise<LossyProxy> {
  const target = new URL(databaseUrl);
  const open = new Set<Socket>();
  let trap: Trap | undefined;

  const isToLose = (transaction: string): boolean => {
    if (!trap || trap.losing === 0 || !transaction.includes(trap.sent)) return false;
    if (trap.passing > 0) {
      trap.passing -= 1;
      return false;
    }
    trap.losing -= 1;
    return true;
  };
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    const readMessages = createMessageReader();
    let transaction = "";
    let dropped: Buffer | undefined;
    const cut = () => {
      for (const socket of [client, upstream]) {
        open.delete(socket);
        socket.destroy();
      }
    };
    client.setNoDelay(true);
    client.on("data", (chunk) => {
      for (const message of readMessages(chunk)) {
        const [, command] = /^Q.{4}(begin|commit|rollback)\b.*\0$/is.exec(message) ?? [];
        if (command?.toLowerCase() === "commit" && isToLose(transaction)) dropped = Buffer.alloc(0);
        transaction = command === undefined ? transaction + message : "";
      }
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (!dropped) return void client.write(chunk);
      dropped = Buffer.concat([dropped, chunk]);
      // CommandComplete and ReadyForQuery, outside any transaction.
      if (!dropped.toString("latin1").endsWith("COMMIT\0Z\0\0\0\x05I")) return;
      cut();
      if (trap?.losing !== 0) return;
      trap.done();
      trap = undefined;
    });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", cut);
      socket.on("close", cut);
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    loseCommits: ({ sent, nth = 1, times = 1 }) =>
      new Promise((done) => {
        if (trap) throw new Error("the proxy is already waiting for a commit");
        trap = { sent, passing: nth - 1, losing: times, done };
      }),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Splits a client's data into messages: https://www.postgresql.org/docs/current/protocol.html */
function createMessageReader(): (chunk: Buffer) => Generator<string> {
  let pending: Buffer = Buffer.alloc(0);
  // The startup message has no type.
  let typeBytes = 0;
  return function* (chunk) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= typeBytes + 4) {
      const length = typeBytes + pending.readInt32BE(typeBytes);
      if (pending.length < length) return;
      yield pending.toString("latin1", 0, length);
      pending = pending.subarray(length);
      typeBytes = 1;
    }
  };
}
