import type { Logger } from "pino";
import { measureProcess, scrape, scrapeType } from "../metrics/registry.ts";
import { type HttpServer, startHttpServer } from "./http-server.ts";

/** Where a process serves its metrics; without a port, it does not. */
export type MetricsAddress = { readonly host: string; readonly port: number | undefined };

/**
 * Serves the metrics of this process at `GET /metrics`, in the text format of Prometheus, on a port
 * of its own: they are for operators, and the edge does not route there. Scrapes that come while one
 * is being made share its result. Throws if it cannot listen.
 */
export async function serveMetrics(
  { host, port }: MetricsAddress,
  log: Logger,
): Promise<AsyncDisposable> {
  if (port === undefined) return { [Symbol.asyncDispose]: async () => {} };
  measureProcess();
  let making: Promise<string> | undefined;
  const server: HttpServer = await startHttpServer({
    host,
    port,
    answer(request, response) {
      if (request.method !== "GET" || request.url?.split("?", 1)[0] !== "/metrics") {
        response.writeHead(404, { "content-type": "text/plain" }).end("GET /metrics\n");
        return;
      }
      making ??= scrape().finally(() => {
        making = undefined;
      });
      making.then(
        (text) => response.writeHead(200, { "content-type": scrapeType }).end(text),
        (error) => {
          log.error({ err: error }, "the metrics could not be read");
          response.writeHead(500).end();
        },
      );
    },
  });
  log.info({ url: `${server.url}/metrics` }, "serving metrics");
  return server;
}
