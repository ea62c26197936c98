import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

// Browsers send the cookies of every port on localhost.
const maxHeaderBytes = 16_384;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const keepAliveTimeoutMs = 5_000;
const timeoutCheckIntervalMs = 1_000;
const maxConnections = 1_000;
const stopTimeoutMs = 5_000;

/** A plain HTTP server. Disposing stops it; responses in progress get 5 seconds to finish. */
export interface HttpServer extends AsyncDisposable {
  /** The URL at which it listens. */
  readonly url: string;
}

/**
 * Serves `answer` over HTTP/1.1, for anything that is not an RPC. A request must arrive within 10
 * seconds and its headers within 5; headers are limited to 16 KiB and connections to 1,000. `port`
 * 0 means any free port. Throws if it cannot listen.
 */
export async function startHttpServer(options: {
  readonly host: string;
  readonly port: number;
  readonly answer: RequestListener;
}): Promise<HttpServer> {
  const { host, port, answer } = options;
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: timeoutCheckIntervalMs,
    },
    (request, response) => {
      // A connection that stays open after its response would delay the stop.
      response.once("close", () => server.listening || server.closeIdleConnections());
      answer(request, response);
    },
  );
  server.maxConnections = maxConnections;
  server.listen(port, host);
  await once(server, "listening");
  const { port: chosen } = server.address() as AddressInfo;

  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${chosen}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      const timer = setTimeout(() => server.closeAllConnections(), stopTimeoutMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
