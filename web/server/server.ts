import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "@settle/chassis/log";
import sirv from "sirv";
import { type PageConfig, pageConfigOf, type WebConfig } from "./config.ts";

const maxHeaderBytes = 16_384;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const maxConnections = 1_000;
const stopTimeoutMs = 5_000;

/** A page that is served. Disposing stops it; answers under way get 5 seconds to end. */
export interface WebServer extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
}

/**
 * Serves the built page in `folder`, its configuration at `/config.json`, and `/healthz`. Every
 * other path without a file is a view of the page. Nothing but the page's own files, the edge and
 * whoever signs people in can be reached from it, by its content security policy. Throws if it
 * cannot listen or there is no page.
 */
export async function startWebServer(options: {
  readonly folder: string;
  readonly config: WebConfig;
  readonly log: Logger;
}): Promise<WebServer> {
  const { folder, config, log } = options;
  const page = pageConfigOf(config);
  const headers = Object.entries(headersOf(page));
  const configText = JSON.stringify(page);
  const files = sirv(folder, {
    gzip: true,
    brotli: true,
    single: true,
    // Vite names what is in assets/ by its content.
    setHeaders: (response, path) =>
      response.setHeader(
        "cache-control",
        path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      ),
  });

  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
    },
    (request, response) => {
      for (const [name, value] of headers) response.setHeader(name, value);
      const path = request.url?.split("?", 1)[0];
      if (path === "/healthz") return response.end("ok");
      if (path === "/config.json") {
        response.setHeader("content-type", "application/json");
        response.setHeader("cache-control", "no-cache");
        return response.end(configText);
      }
      if (request.method !== "GET" && request.method !== "HEAD") {
        return response.writeHead(405, { allow: "GET, HEAD" }).end();
      }
      files(request, response, () => {
        response.writeHead(404).end("not found");
      });
    },
  );
  server.maxConnections = maxConnections;
  server.listen(config.port, config.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`;
  log.info({ url, edge: page.edgeUrl }, "serving the page");

  return {
    url,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      const timer = setTimeout(() => server.closeAllConnections(), stopTimeoutMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function headersOf({ edgeUrl, signIn }: PageConfig): Readonly<Record<string, string>> {
  const issuer = signIn.kind === "oidc" ? new URL(signIn.authority).origin : signIn.issuerUrl;
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    `connect-src 'self' ${edgeUrl} ${issuer}`,
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
