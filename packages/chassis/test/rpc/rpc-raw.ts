import { request as requestHttp1 } from "node:http";
import { type ClientSessionOptions, connect as connectHttp2 } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { type ErrorInfo, ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { StatusSchema } from "@settle/gen/google/rpc/status_pb";
import { GetOrderRequestSchema } from "@settle/gen/orders/v1/orders_service_pb";
import { orderId } from "./rpc-setup.ts";

export const path = "/orders.v1.OrdersService/GetOrder";
export const good = toBinary(
  GetOrderRequestSchema,
  create(GetOrderRequestSchema, { userId: "alice", orderId }),
);

/** A message in the envelope of gRPC and of streams of Connect. */
export function envelope(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export type GrpcAnswer = { code: number; message: string; reason: string | undefined };

/** Posts by HTTP/2 and returns the gRPC status, its message and its reason. */
export async function grpcCall(
  port: number,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<GrpcAnswer> {
  const fields = [":method", "POST", ":path", path, "te", "trailers"];
  const more = Object.entries(headers).flat();
  const last = await sendHttp2(port, [...fields, "content-type", types.grpc, ...more], body);
  return {
    code: Number(last["grpc-status"]),
    message: decodeURIComponent(String(last["grpc-message"])),
    reason: infoIn(last)?.reason,
  };
}

/** Posts by HTTP/1.1. */
export async function post(baseUrl: string, type: string, body: string | Uint8Array, headers = {}) {
  const response = await fetch(baseUrl + path, {
    method: "POST",
    headers: { "content-type": type, ...headers },
    body,
  });
  return { status: response.status, text: Buffer.from(await response.arrayBuffer()).toString() };
}

/** What the Connect protocol says about an error. */
export function connectError(text: string): {
  code: string;
  message: string;
  reason: string | undefined;
} {
  const { code, message, details } = JSON.parse(text);
  const info: Partial<ErrorInfo> = details?.[0]?.debug ?? {};
  return { code, message, reason: info.reason };
}

export const rawProtocols = ["grpc", "grpc-web", "connect", "connect-stream"] as const;
export type RawProtocol = (typeof rawProtocols)[number];

/** A request with nothing that a client library would add or refuse. */
export type RawRequest = {
  readonly path: string;
  /** Default: one message without fields. */
  readonly body?: Uint8Array;
  /** Names and values in turn, in addition to those that the protocol needs. */
  readonly headers?: readonly string[];
  /** Default: that of the protocol for binary messages. */
  readonly type?: string;
};

/** The error in an answer, with the first of its details. */
export type RawRefusal = {
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly domain: string | undefined;
};

/** Returns the error that answers a request; its code is undefined if there is none. */
export async function refusalBy(
  protocol: RawProtocol,
  port: number,
  {
    path: requestPath,
    body = emptyBody(protocol),
    headers = [],
    type = types[protocol],
  }: RawRequest,
): Promise<RawRefusal> {
  const all = ["content-type", type, ...headers];
  if (protocol === "grpc") {
    const fields = [":method", "POST", ":path", requestPath, "te", "trailers", ...all];
    return grpcRefusal(await sendHttp2(port, fields, body));
  }
  const answer = await sendHttp1(port, requestPath, all, body);
  if (protocol === "grpc-web")
    return grpcRefusal({ ...answer.headers, ...trailersIn(answer.body) });
  if (protocol === "connect-stream" && answer.status === 200) {
    return connectRefusal(JSON.parse(lastEnvelope(answer.body)).error);
  }
  return connectRefusal(answer.status === 200 ? undefined : JSON.parse(answer.body.toString()));
}

const types: Readonly<Record<RawProtocol, string>> = {
  grpc: "application/grpc",
  "grpc-web": "application/grpc-web+proto",
  connect: "application/proto",
  "connect-stream": "application/connect+proto",
};

const emptyBody = (protocol: RawProtocol) =>
  protocol === "connect" ? Buffer.of() : envelope(Buffer.of());

// Node 24 has this option, its types do not: a header may be sent twice.
const anyHeaders = { strictSingleValueFields: false } as ClientSessionOptions;

function sendHttp2(
  port: number,
  fields: readonly string[],
  body: Uint8Array,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`, anyHeaders);
    session.on("error", reject);
    const stream = session.request([...fields]);
    let last: Record<string, unknown> = {};
    stream.on("response", (given) => (last = { ...last, ...given }));
    stream.on("trailers", (given) => (last = { ...last, ...given }));
    stream.on("error", reject);
    stream.on("close", () => {
      session.destroy();
      resolve(last);
    });
    stream.resume();
    stream.end(body);
  });
}

/** Sends a request by HTTP/1.1, with exactly these headers besides its host and length. */
export function sendHttp1(
  port: number,
  requestPath: string,
  headers: readonly string[],
  body: Uint8Array | undefined,
): Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = requestHttp1({
      port,
      host: "127.0.0.1",
      method: body ? "POST" : "GET",
      path: requestPath,
      headers: ["host", "x", ...(body ? ["content-length", `${body.length}`] : []), ...headers],
    });
    request.on("error", reject);
    request.on("response", async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const { statusCode: status = 0 } = response;
      resolve({ status, headers: response.headers, body: Buffer.concat(chunks) });
    });
    request.end(body);
  });
}

/** The message of the last envelope. */
function lastEnvelope(body: Buffer): string {
  let rest = body;
  for (;;) {
    const end = 5 + rest.readUInt32BE(1);
    if (end >= rest.length) return rest.subarray(5, end).toString();
    rest = rest.subarray(end);
  }
}

function trailersIn(body: Buffer): Record<string, string> {
  if (body.length === 0) return {};
  const lines = lastEnvelope(body).split("\r\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split(/: ?(.*)/s).slice(0, 2)));
}

function grpcRefusal(fields: Record<string, unknown>): RawRefusal {
  if (fields["grpc-status"] === undefined) {
    return { code: `HTTP ${fields[":status"]}`, reason: undefined, domain: undefined };
  }
  const code = Number(fields["grpc-status"]);
  const { reason, domain } = infoIn(fields) ?? {};
  return { code: code === 0 ? undefined : Code[code], reason, domain };
}

/** The first detail of a gRPC status. */
function infoIn(fields: Record<string, unknown>): ErrorInfo | undefined {
  const bytes = Buffer.from(String(fields["grpc-status-details-bin"] ?? ""), "base64");
  const [detail] = fromBinary(StatusSchema, bytes).details;
  return detail && fromBinary(ErrorInfoSchema, detail.value);
}

function connectRefusal(error: { code: string; details?: { debug?: unknown }[] } | undefined) {
  if (!error) return { code: undefined, reason: undefined, domain: undefined };
  const info: Partial<ErrorInfo> = error.details?.[0]?.debug ?? {};
  const code = Code[codeFromString(error.code) ?? -1];
  return { code, reason: info.reason, domain: info.domain };
}
