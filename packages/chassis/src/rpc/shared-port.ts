import { type AddressInfo, createServer, type Socket } from "node:net";

const http2Preface = Buffer.from("PRI");

export type SharedPort = {
  /** Listens and returns the address; rejects if the port is taken. */
  listen(host: string, port: number): Promise<AddressInfo>;
  /** Accepts no more connections and resolves when the last one has ended. */
  close(): Promise<void>;
  /** Closes every connection at once. */
  cut(): void;
};

/**
 * One TCP port for two servers: a connection that starts as HTTP/2 goes to `onHttp2`, any other to
 * `onHttp1`, with all of its bytes. A connection that does not send enough within
 * `prefaceTimeoutMs` is closed, and so is any connection above `maxConnections`.
 */
export function createSharedPort(options: {
  readonly onHttp1: (socket: Socket) => void;
  readonly onHttp2: (socket: Socket) => void;
  readonly prefaceTimeoutMs: number;
  readonly maxConnections: number;
}): SharedPort {
  const { onHttp1, onHttp2, prefaceTimeoutMs, maxConnections } = options;
  const sockets = new Set<Socket>();
  const undecided = new Set<Socket>();

  const server = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true }, (socket) => {
    const giveUp = () => socket.destroy();
    const timer = setTimeout(giveUp, prefaceTimeoutMs);
    // Reading on `readable` and not on `data` leaves the socket as the HTTP/2 session needs it.
    const look = () => {
      const head: Buffer | null = socket.read(http2Preface.length);
      if (head === null) return;
      decided();
      socket.unshift(head);
      // HTTP/1.1 still answers a client that has closed its side; an HTTP/2 session would wait on.
      socket.allowHalfOpen = !head.equals(http2Preface);
      if (socket.allowHalfOpen) onHttp1(socket);
      else onHttp2(socket);
    };
    const decided = () => {
      clearTimeout(timer);
      undecided.delete(socket);
      socket.off("readable", look);
      socket.off("end", giveUp);
    };
    sockets.add(socket);
    undecided.add(socket);
    socket.on("readable", look);
    socket.on("end", giveUp);
    // A connection may fail before or after its server listens to it; 'close' follows.
    socket.on("error", () => {});
    socket.once("close", () => {
      decided();
      sockets.delete(socket);
    });
  });
  server.maxConnections = maxConnections;

  return {
    listen(host, port) {
      return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port }, () => {
          server.off("error", reject);
          resolve(server.address() as AddressInfo);
        });
      });
    },
    close() {
      for (const socket of undecided) socket.destroy();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
