import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { malformed, refuse, refuseFields } from "../contract/errors.ts";
import { gone } from "./active-call.ts";
import { type RequestMessage, tooLarge } from "./request-message.ts";

const envelopeHeaderBytes = 5;
const compressedFlag = 1;
/** The compression that a request may have. */
export const supportedEncoding = "gzip";

/** A request to a method, before its body is read. */
export type HttpRequest = {
  /** Its content type; for a GET, the one that its query names. */
  readonly contentType: string;
  /** The response header that lists the compressions which such a request may have. */
  readonly acceptHeader: string;
  /** The body of such a request with an empty message. */
  readonly emptyBody: Uint8Array;
  /**
   * Reads the message, at most `maxBytes` long, also when inflated. Refuses a request that does not
   * contain exactly one message, one that is compressed in another way than by gzip, and query
   * parameters that are unknown or repeated.
   */
  readonly readMessage: (maxBytes: number) => Promise<RequestMessage>;
};

/** Reads a request of the Connect or gRPC-Web protocol. */
export function readHttpRequest(request: IncomingMessage): HttpRequest {
  return request.method === "GET" ? getRequest(request) : postRequest(request);
}

function postRequest(request: IncomingMessage): HttpRequest {
  const { url = "", headers } = request;
  const contentType = headers["content-type"] ?? "";
  const type = contentType.toLowerCase();
  const isJson = type.includes("json");
  const format = type.startsWith("application/connect+")
    ? formats.connectStream
    : type.startsWith("application/grpc")
      ? formats.grpcWeb
      : formats.connectUnary;
  const encoding = String(headers[format.encoding] ?? "identity");
  const empty = isJson ? Buffer.from("{}") : Buffer.of();
  return {
    contentType,
    acceptHeader: format.accepts,
    emptyBody: format.isEnveloped ? encodeEnvelope(0, empty) : empty,
    async readMessage(maxBytes) {
      readQuery(url, new Map());
      assertSupported(encoding);
      if (!format.isEnveloped) {
        const body = await readAll(request, maxBytes);
        return { isJson, bytes: await inflate(body, encoding, maxBytes) };
      }
      const body = await readAll(request, maxBytes + envelopeHeaderBytes);
      const { isCompressed, bytes } = openEnvelope(body);
      if (!isCompressed) return { isJson, bytes };
      if (encoding === "identity") throw malformed("the message is compressed without an encoding");
      return { isJson, bytes: await inflate(bytes, encoding, maxBytes) };
    },
  };
}

/** Where each protocol names the compression of a request, and those that it may have. */
const formats = {
  connectUnary: {
    isEnveloped: false,
    encoding: "content-encoding",
    accepts: "accept-encoding",
  },
  connectStream: {
    isEnveloped: true,
    encoding: "connect-content-encoding",
    accepts: "connect-accept-encoding",
  },
  grpcWeb: {
    isEnveloped: true,
    encoding: "grpc-encoding",
    accepts: "grpc-accept-encoding",
  },
} as const;

function getRequest({ url = "", headers }: IncomingMessage): HttpRequest {
  const isJson = new URLSearchParams(queryOf(url)).get("encoding") !== "proto";
  const hasBody = Number(headers["content-length"] ?? 0) > 0 || "transfer-encoding" in headers;
  return {
    contentType: isJson ? "application/json" : "application/proto",
    acceptHeader: formats.connectUnary.accepts,
    emptyBody: Buffer.from(isJson ? "{}" : ""),
    async readMessage(maxBytes) {
      const query = readQuery(url, queryParameters);
      const encoding = query.get("compression") ?? "identity";
      assertSupported(encoding);
      if (hasBody) throw malformed("a GET request has no body");
      const message = query.get("message") ?? "";
      const bytes = query.has("base64") ? decodeBase64(message) : Buffer.from(message);
      if (bytes.length > maxBytes) throw tooLarge(maxBytes);
      return { isJson, bytes: await inflate(bytes, encoding, maxBytes) };
    },
  };
}

/** The query of a Connect GET request: its parameters and, if there are few, their values. */
const queryParameters: ReadonlyMap<string, readonly string[]> = new Map([
  ["connect", ["v1"]],
  ["encoding", ["json", "proto"]],
  ["base64", ["1"]],
  ["compression", []],
  ["message", []],
]);
const requiredParameters = ["encoding", "message"];

function readQuery(url: string, known: typeof queryParameters): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const faults: { field: string; description: string }[] = [];
  for (const part of queryOf(url).split("&").filter(Boolean)) {
    const end = part.includes("=") ? part.indexOf("=") : part.length;
    const field = decodePercent(part.slice(0, end));
    const value = decodePercent(part.slice(end + 1));
    const values = known.get(field);
    if (!values) throw malformed(`there is no query parameter "${field}"`);
    if (found.has(field)) faults.push({ field, description: "set more than once" });
    else if (values.length > 0 && !values.includes(value)) {
      faults.push({ field, description: `must be ${values.join(" or ")}` });
    }
    found.set(field, value);
  }
  for (const field of requiredParameters) {
    if (known.has(field) && !found.has(field)) faults.push({ field, description: "is required" });
  }
  if (faults.length > 0) throw refuseFields(faults);
  return found;
}

function queryOf(url: string): string {
  const start = url.indexOf("?");
  return start === -1 ? "" : url.slice(start + 1);
}

function decodePercent(text: string): string {
  try {
    // Throws for bytes that are not UTF-8. Bytes beyond ASCII must be escaped.
    if (/^[!-~]*$/.test(text)) return decodeURIComponent(text.replaceAll("+", " "));
  } catch {}
  throw malformed("the query is not valid UTF-8, percent-encoded");
}

function decodeBase64(text: string): Uint8Array {
  try {
    return base64Decode(text);
  } catch {
    throw malformed("the message is not valid base64");
  }
}

function assertSupported(encoding: string): void {
  if (encoding === "identity" || encoding === supportedEncoding) return;
  const text = `this compression is not supported; use ${supportedEncoding} or none`;
  throw refuse(Code.Unimplemented, ErrorReason.MALFORMED_REQUEST, text);
}

const inflateGzip = promisify(gunzip);

async function inflate(bytes: Uint8Array, encoding: string, maxBytes: number): Promise<Uint8Array> {
  if (encoding === "identity" || bytes.length === 0) return bytes;
  try {
    return await inflateGzip(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === "ERR_BUFFER_TOO_LARGE"
      ? tooLarge(maxBytes)
      : malformed("the gzip data is damaged");
  }
}

/** Returns the message in the only envelope of a body: flags, length, message. */
function openEnvelope(body: Buffer): { readonly isCompressed: boolean; readonly bytes: Buffer } {
  const bytes = body.subarray(envelopeHeaderBytes);
  const flags = body.length < envelopeHeaderBytes ? undefined : body.readUInt8(0);
  if (flags === undefined || flags > compressedFlag || body.readUInt32BE(1) !== bytes.length) {
    throw malformed("the body is not one message in an envelope");
  }
  return { isCompressed: flags === compressedFlag, bytes };
}

function readAll(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else reject(tooLarge(maxBytes));
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("close", () => request.complete || reject(gone()));
  });
}
