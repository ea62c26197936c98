import type { ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import {
  createEndStreamSerialization,
  endStreamFlag,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";

/** The answer to a request that reaches no handler. */
export type HttpRefusal = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

const endStream = createEndStreamSerialization(undefined);

/**
 * Expresses an error in the protocol that the content type of its request names: gRPC-Web, a stream
 * of Connect, or else the JSON of Connect with this HTTP status. A stream of Connect can only show
 * details with HTTP status 200.
 */
export function httpRefusalOf(
  contentType: string | undefined,
  httpStatus: number,
  error: ConnectError,
): HttpRefusal {
  const type = contentType?.toLowerCase() ?? "";
  if (type.startsWith("application/grpc")) {
    const headers = new Headers({ "content-type": "application/grpc-web+proto" });
    setTrailerStatus(headers, error);
    return { status: 200, headers: Object.fromEntries(headers), body: Buffer.of() };
  }
  if (type.startsWith("application/connect+") && httpStatus === 404) {
    const end = endStream.serialize({ metadata: new Headers(), error });
    return {
      status: 200,
      headers: { "content-type": type },
      body: encodeEnvelope(endStreamFlag, end),
    };
  }
  return {
    status: httpStatus,
    headers: { "content-type": "application/json" },
    body: errorToJsonBytes(error, undefined),
  };
}
