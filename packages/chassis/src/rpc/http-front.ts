import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import { Code, type ConnectError } from "@connectrpc/connect";
import { universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import type { Logger } from "pino";
import { inDomain, malformed, refuse } from "../contract/errors.ts";
import { type Page, sendPage } from "../docs/page.ts";
import type { ConnectHandler } from "./connect-mount.ts";
import { type Health, servingStatusOf } from "./health.ts";
import { httpRefusalOf } from "./http-refusal.ts";
import { requestIdOf } from "./request-headers.ts";
import { noSuchMethod, unsupportedType } from "./request-message.ts";
import type { RpcLimits } from "./rpc-limits.ts";

const connectionsCheckIntervalMs = 1_000;

/**
 * The HTTP/1.1 side of a server: Connect and gRPC-Web calls, `/healthz` and `pages`. Every other
 * request is refused in the form of its protocol. Connections are passed to it; it never listens
 * itself.
 */
export function createHttpFront(options: {
  readonly handlers: ReadonlyMap<string, ConnectHandler>;
  /** Additional pages, by path. */
  readonly pages: ReadonlyMap<string, Page>;
  readonly health: Health;
  readonly domain: string;
  readonly limits: RpcLimits;
  readonly newId: () => string;
  readonly log: Logger;
}): Server {
  const { handlers, pages, health, domain, limits, newId, log } = options;

  const answer = async (request: IncomingMessage, response: ServerResponse, requestId: string) => {
    if (request.headers.host === undefined && request.httpVersion !== "1.0") {
      return sendError(request, response, 400, malformed("the request has no host"));
    }
    const path = request.url?.split("?", 1)[0] ?? "";
    const reading = request.method === "GET" || request.method === "HEAD";
    if (path === "/healthz" && reading) return sendHealth(response, health);
    const page = pages.get(path);
    if (page && reading) return sendPage(request, response, page);
    const handler = handlers.get(path);
    if (!handler) return sendError(request, response, 404, noSuchMethod());
    if (!handler.allow.includes(request.method ?? "")) {
      response.setHeader("allow", handler.allow.join(", "));
      return sendError(request, response, 405, wrongMethod(handler.allow));
    }
    // The answer depends on the token, which is not part of the URL.
    if (request.method === "GET") response.setHeader("cache-control", "no-store");
    const universal = await handler.serve(request, response, requestId);
    if (!universal.body) return sendError(request, response, universal.status, unsupportedType());
    await universalResponseToNodeResponse(universal, response);
  };
  const sendError = (
    request: IncomingMessage,
    response: ServerResponse,
    httpStatus: number,
    error: ConnectError,
  ) => {
    const type = request.headers["content-type"];
    const { status, headers, body } = httpRefusalOf(type, httpStatus, inDomain(error, domain));
    response.writeHead(status, { ...headers, "content-length": body.length });
    response.end(request.method === "HEAD" ? undefined : body);
  };

  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      // Node would refuse a request without a host itself, without a reason.
      requireHostHeader: false,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: connectionsCheckIntervalMs,
    },
    (request, response) => {
      const requestId = requestIdOf(request.headers["x-request-id"], newId);
      response.setHeader("x-request-id", requestId);
      answer(request, response, requestId).catch((error: unknown) => {
        // connect-node throws for an invalid Host header, and when the client has disconnected.
        log.debug({ err: error, requestId }, "a request could not be served");
        if (response.headersSent) response.destroy();
        else sendError(request, response, 400, malformed("the request is malformed"));
      });
    },
  );
  server.maxHeadersCount = limits.maxHeaders;
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    refuseUnparsed(socket, error.code, domain);
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    sendError(request, response, 417, malformed("this expectation is not supported"));
  });
  // Node checks the time limits of connections once a server listens; this one never does.
  server.emit("listening");
  return server;
}

function sendHealth(response: ServerResponse, health: Health): void {
  sendJson(response, health.serving ? 200 : 503, { status: servingStatusOf(health) });
}

function sendJson(response: ServerResponse, httpStatus: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(httpStatus, {
    "content-type": "application/json",
    "content-length": bytes.length,
  });
  response.end(bytes);
}

/** Answers a request that Node's parser rejected; there is no request object, only a socket. */
function refuseUnparsed(socket: Socket, code: string | undefined, domain: string): void {
  // After a first answer, the client could not tell which request this one belongs to.
  if (!socket.writable || socket.bytesWritten > 0 || code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, error] =
    code === "HPE_HEADER_OVERFLOW"
      ? [431, headersTooLarge()]
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, tooSlow()]
        : [400, malformed("the request is malformed")];
  const { body } = httpRefusalOf(undefined, status, inDomain(error, domain));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${Buffer.from(body)}`,
  );
}

const wrongMethod = (allow: readonly string[]) =>
  refuse(
    Code.Unimplemented,
    ErrorReason.ROUTE_NOT_FOUND,
    `this method accepts only ${allow.join(" and ")}`,
  );
const headersTooLarge = () =>
  refuse(Code.ResourceExhausted, ErrorReason.REQUEST_TOO_LARGE, "the headers are too large");
const tooSlow = () =>
  refuse(
    Code.DeadlineExceeded,
    ErrorReason.DEADLINE_EXCEEDED,
    "the request took too long to arrive",
  );
