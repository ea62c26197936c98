import { type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { errorInfoOf, malformed, refuse } from "../contract/errors.ts";
import { readRequestJson } from "../contract/request-json.ts";

/** The message of a request as it was sent, uncompressed. */
export type RequestMessage = { readonly bytes: Uint8Array; readonly isJson: boolean };

/**
 * Decodes the message of a request. Refuses an unknown or repeated field of JSON with
 * VALIDATION_FAILED, and anything else that is not a message of this type with MALFORMED_REQUEST,
 * because both libraries would answer INTERNAL or quote the body.
 */
export function decodeRequest(schema: DescMessage, { bytes, isJson }: RequestMessage): Message {
  try {
    return isJson ? readRequestJson(schema, bytes) : fromBinary(schema, bytes);
  } catch (error) {
    if (errorInfoOf(error)) throw error;
    throw malformed(`the request is not a valid ${schema.typeName}`);
  }
}

/** The refusal of a request whose message is too large. */
export function tooLarge(maxBytes: number): ConnectError {
  return refuse(
    Code.ResourceExhausted,
    ErrorReason.REQUEST_TOO_LARGE,
    `the request is larger than ${maxBytes} bytes`,
  );
}

/** The refusal of a request to a method that does not exist. */
export function noSuchMethod(): ConnectError {
  return refuse(Code.Unimplemented, ErrorReason.ROUTE_NOT_FOUND, "no such service or method");
}

/** The refusal of a request in a format that is not served. */
export function unsupportedType(): ConnectError {
  return malformed(
    "this content type is not supported; use application/json or application/proto, " +
      "for a stream application/connect+json or application/connect+proto",
  );
}
