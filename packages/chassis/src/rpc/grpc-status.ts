import { Code, type ConnectError } from "@connectrpc/connect";
import {
  status as grpcCode,
  Metadata,
  type ServerInterceptor,
  type StatusObject,
} from "@grpc/grpc-js";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { inDomain, malformed, refuse, statusBytesOf } from "../contract/errors.ts";
import { late } from "./active-call.ts";
import { tooLarge } from "./request-message.ts";

const detailsKey = "grpc-status-details-bin";
const acceptKey = "grpc-accept-encoding";
const supported = "identity,deflate,gzip";

/** Returns an error as the status of a call, with its details and headers in `metadata`. */
export function grpcStatusOf(error: ConnectError, metadata = new Metadata()): StatusObject {
  error.metadata.forEach((value, name) => {
    metadata.set(name, value);
  });
  metadata.set(detailsKey, bufferOf(statusBytesOf(error)));
  return { code: error.code as number, details: error.rawMessage, metadata };
}

/** Returns the same bytes as a Buffer. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Adds the reason to the statuses with which grpc-js itself ends a call: before the handler, for
 * example if a message is too large, or at the deadline.
 */
export function explainStatuses(options: {
  readonly domain: string;
  readonly maxRequestBytes: number;
}): ServerInterceptor {
  return (_method, call) => {
    const send = call.sendStatus.bind(call);
    // grpc-js sends its own statuses through this object, below all interceptors.
    call.sendStatus = (status) => {
      if (status.code === grpcCode.OK || status.metadata?.get?.(detailsKey).length)
        return send(status);
      const error = inDomain(reasonedOf(status, options.maxRequestBytes), options.domain);
      const metadata = new Metadata();
      if (error.code === Code.Unimplemented) metadata.set(acceptKey, supported);
      return send(grpcStatusOf(error, metadata));
    };
    return call as ReturnType<ServerInterceptor>;
  };
}

function reasonedOf(
  { code, details }: Parameters<ReturnType<ServerInterceptor>["sendStatus"]>[0],
  maxRequestBytes: number,
): ConnectError {
  switch (code) {
    case grpcCode.DEADLINE_EXCEEDED:
      return late();
    case grpcCode.RESOURCE_EXHAUSTED:
      // Otherwise it is the answer that is too large.
      if (!String(details).startsWith("Received message")) return unexplained();
      return tooLarge(maxRequestBytes);
    case grpcCode.UNIMPLEMENTED: {
      const text = `send exactly one message, with one of the encodings ${supported}`;
      return refuse(Code.Unimplemented, ErrorReason.MALFORMED_REQUEST, text);
    }
    case grpcCode.NOT_FOUND:
      return refuse(Code.NotFound, ErrorReason.ROUTE_NOT_FOUND, String(details));
    default:
      return details === "Failed to decompress message"
        ? malformed("the message cannot be decompressed")
        : unexplained();
  }
}

const unexplained = () => refuse(Code.Internal, ErrorReason.INTERNAL, "internal error");
