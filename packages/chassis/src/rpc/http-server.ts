import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

// Browsers send the cookies of every port of localhost along.
const maxHeaderBytes = 16_384;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const keepAliveTimeoutMs = 5_000;
const timeoutCheckIntervalMs = 1_000;
const maxConnections = 1_000;
const stopTimeoutMs = 5_000;

/** A plain HTTP server. Disposing stops it; answers under way get 5 seconds to end. */
export interface HttpServer extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
}

/**
 * Serves `answer` over HTTP/1.1, for what is no RPC: a request has 10 seconds to arrive, its headers
 * half of that and 16 KiB, and 1,000 connections may be open. `port` 0 is any that is free. Throws if
 * it cannot listen.
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
      // A connection kept open for more after its answer would hold up the stop.
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
