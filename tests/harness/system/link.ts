import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { findFreePorts } from "../../../tools/local/ports.ts";

/** A way to a server that can be cut. */
export type Link = AsyncDisposable & {
  /** The server's URL by this way. */
  readonly url: string;
  /** Keeps what is sent to the server from now on by what is connected now, until that is cut. */
  hold(): void;
  /** Breaks what is connected now. */
  cut(): void;
};

/** Opens a way to the server that `url` names, on a free port of loopback. */
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
