import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "@settle/chassis/base/log";
import { type HttpServer, startHttpServer } from "@settle/chassis/rpc/http-server";
import { pageConfigOf, type WebConfig } from "./config.ts";
import { readPageFiles } from "./page-files.ts";
import { pageResponses } from "./page-metrics.ts";

/**
 * Serves the built page in `config.folder`, its configuration at `/config.json`, and `/healthz`.
 * Every other path whose last part has no dot is a view of the page. The content security policy
 * limits the page to its own files, the edge and the sign-in provider. Throws if it cannot listen
 * or there is no page.
 */
export async function startWebServer(options: {
  readonly config: WebConfig;
  readonly log: Logger;
}): Promise<HttpServer> {
  const { config, log } = options;
  const page = pageConfigOf(config);
  const headers = new Headers(headersOf(config.callableOrigins));
  const sendFile = readPageFiles(config.folder);
  const own: ReadonlyMap<string, { readonly type: string; readonly body: string }> = new Map([
    ["/healthz", { type: "text/plain", body: "ok" }],
    ["/config.json", { type: "application/json", body: JSON.stringify(page) }],
  ]);

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    response.setHeaders(headers);
    response.once("close", () => pageResponses.inc({ code: response.statusCode }));
    if (request.method !== "GET" && request.method !== "HEAD") {
      return response.writeHead(405, { allow: "GET, HEAD" }).end();
    }
    const path = request.url?.split("?", 1)[0] ?? "";
    const found = own.get(path);
    if (found) {
      response.writeHead(200, { "content-type": found.type, "cache-control": "no-cache" });
      return response.end(found.body);
    }
    if (sendFile(path, request, response)) return;
    // A path that looks like a file is not a view: a missing script must not return HTML.
    if (/\.[^/]*$/.test(path) || !sendFile("/", request, response)) {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found");
    }
  };

  const server = await startHttpServer({ ...config, answer });
  log.info({ url: server.url, edge: page.edgeUrl }, "serving the page");
  return server;
}

function headersOf(callableOrigins: readonly string[]): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    `connect-src 'self' ${callableOrigins.join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}
