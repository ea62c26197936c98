import {
  create,
  type DescMethod,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { pathOf, routeOf } from "../calls/protocols.ts";
import type { User } from "./attack.ts";
import type { Protocol } from "./good-caller.ts";

/** The headers and the body of a request, for HTTP/2. */
export type RawRequest = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

/** Returns the request of a call by one protocol. A REST method must be a GET. */
export function requestOf<Method extends DescMethod>(
  protocol: Protocol,
  method: Method,
  message: MessageInitShape<Method["input"]>,
  { authorization }: User,
): RawRequest {
  const input = create(method.input, message);
  if (protocol === "REST") {
    const { path, rest } = routeOf(method, toJson(method.input, input));
    const query = new URLSearchParams(rest as Record<string, string>);
    return {
      headers: { ":method": "GET", ":path": `${path}?${query}`, authorization },
      body: undefined,
    };
  }
  const bytes = toBinary(method.input, input);
  const isStream = method.methodKind !== "unary";
  const isConnect = protocol === "Connect";
  const headers = {
    ":method": "POST",
    ":path": pathOf(method),
    authorization,
    ...(isConnect
      ? {
          "content-type": isStream ? "application/connect+proto" : "application/proto",
          "connect-protocol-version": "1",
        }
      : { "content-type": "application/grpc", te: "trailers" }),
  };
  return { headers, body: isConnect && !isStream ? Buffer.from(bytes) : enveloped(bytes) };
}

/** Prefixes a message with its flags and its length, as in the streams of gRPC and Connect. */
export function enveloped(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
