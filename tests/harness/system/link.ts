import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { findFreePorts } from "../../../tools/local/ports.ts";

/** A connection to a server that can be cut. */
export type Link = AsyncDisposable & {
  /** The URL of the server through this link. */
  readonly url: string;
  /** Holds back all further data to the server on the current connections, until they are cut. */
  hold(): void;
  /** Breaks the current connections. */
  cut(): void;
};

/** Opens a link to the server at `url`, on a free loopback port. */
export async function openLink(url: string): Promise<Link> {
  const target = new URL(url);
  const open = new Set<Socket>();
  const clients = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ host: target.hostname, port: Number(target.port) });
    clients.add(near);
    near.on("close", () => clients.delete(near));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => open.delete(one));
      one.pipe(other);
    }
  });
  const [port = 0] = await findFreePorts(1);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  const by = new URL(url);
  by.hostname = "127.0.0.1";
  by.port = String(port);
  return {
    url: by.href,
    hold() {
      for (const client of clients) client.unpipe().pause();
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
