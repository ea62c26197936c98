import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "@settle/chassis/base/log";
import { type HttpServer, startHttpServer } from "@settle/chassis/rpc/http-server";
import { type Issuer, tokenLifetimeS } from "./issuer.ts";
import { readTokenRequest } from "./token-request.ts";

const maxBodyBytes = 8_192;
const preflightMaxAgeS = 600;

type Reply = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};
type Route = {
  readonly method: "GET" | "POST";
  answer(request: IncomingMessage): Reply | Promise<Reply>;
};

/**
 * Serves the issuer over HTTP: its keys, its metadata (RFC 8414), and tokens for any caller. Pages
 * of `corsOrigins` may call it; pages of other origins get no token. Throws if it cannot listen.
 */
export async function startIssuerServer(options: {
  readonly issuer: Issuer;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly corsOrigins: readonly string[];
  readonly log: Logger;
}): Promise<HttpServer> {
  const { issuer, host, port, log } = options;
  const origins = new Set(options.corsOrigins);
  const routes = new Map(Object.entries(routesOf(issuer, log)));

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<Reply> => {
    const { origin } = request.headers;
    response.setHeader("vary", "origin");
    if (origin !== undefined && origins.has(origin)) {
      response.setHeader("access-control-allow-origin", origin);
    }
    const route = routes.get(request.url?.split("?", 1)[0] ?? "");
    if (!route) return refusal(404, "not_found", "there is no such path");
    const isForeign = origin !== undefined && !origins.has(origin);
    if (request.method === "OPTIONS") return isForeign ? foreignOrigin() : preflight(route);
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (method !== route.method) return wrongMethod(route);
    // Such a page cannot read the response, except by DNS rebinding.
    if (isForeign && method === "POST") return foreignOrigin();
    return route.answer(request);
  };

  const server = await startHttpServer({
    host,
    port,
    answer(request, response) {
      answer(request, response).then(
        (reply) => send(response, reply),
        (error: unknown) => {
          // A caller that has disconnected before the end of its request needs no response.
          if (!request.complete) return response.destroy();
          log.error({ err: error }, "a request failed");
          send(response, refusal(500, "server_error", "internal error; see the issuer's log"));
        },
      );
    },
  });
  log.info(
    { url: server.url, issuer: issuer.url },
    "issuing tokens for any name: for development only",
  );
  return server;
}

function routesOf(issuer: Issuer, log: Logger): Readonly<Record<string, Route>> {
  return {
    "/healthz": {
      method: "GET",
      answer: () => ({ status: 200, body: { status: "SERVING" } }),
    },
    "/.well-known/jwks.json": {
      method: "GET",
      answer: () => ({ status: 200, body: issuer.jwks() }),
    },
    "/.well-known/openid-configuration": {
      method: "GET",
      answer: () => ({ status: 200, body: metadataOf(issuer.url) }),
    },
    "/token": {
      method: "POST",
      async answer(request) {
        const body = await readBody(request);
        if (body === undefined) {
          return refusal(413, "invalid_request", `the body is larger than ${maxBodyBytes} bytes`);
        }
        const wanted = readTokenRequest(request.headers["content-type"], body);
        if ("fault" in wanted) return refusal(400, "invalid_request", wanted.fault);
        log.info(wanted, "issued a token");
        return {
          status: 200,
          headers: { "cache-control": "no-store", pragma: "no-cache" },
          body: {
            access_token: await issuer.sign(wanted),
            token_type: "Bearer",
            expires_in: tokenLifetimeS,
            scope: wanted.scopes.join(" "),
          },
        };
      },
    },
  };
}

function metadataOf(issuer: string) {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    token_endpoint: `${issuer}/token`,
    // The field is required and must not be empty; `none` is the type that needs no endpoint.
    response_types_supported: ["none"],
    grant_types_supported: ["password"],
    token_endpoint_auth_methods_supported: ["none"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  };
}

/**
 * Reads the whole body as text; undefined if it is too large. The rest is still read, within the
 * timeout of a request, so that the sender gets the error.
 */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  return bytes > maxBodyBytes ? undefined : Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    ...(bytes && { "content-type": "application/json", "content-length": bytes.length }),
    ...headers,
  });
  response.end(bytes);
}

function preflight(route: Route): Reply {
  return {
    status: 204,
    headers: {
      allow: allowedBy(route),
      "access-control-allow-methods": route.method,
      "access-control-allow-headers": "authorization, content-type",
      "access-control-max-age": String(preflightMaxAgeS),
    },
  };
}

function wrongMethod(route: Route): Reply {
  const allow = allowedBy(route);
  return { ...refusal(405, "invalid_request", `this path accepts ${allow}`), headers: { allow } };
}

const foreignOrigin = () =>
  refusal(403, "invalid_request", "pages of this origin may not request tokens");

function allowedBy({ method }: Route): string {
  return method === "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
}

/** Errors have the form of RFC 6749 section 5.2 on every path. */
function refusal(status: number, error: string, description: string): Reply {
  return { status, body: { error, error_description: description } };
}
