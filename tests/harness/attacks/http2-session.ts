import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { RawRequest } from "./requests.ts";

/** As large as that of all streams of a connection together, so that none waits for another. */
const connectionWindowBytes = 64 * 1_024 * 1_024;
const streamWindowBytes = 65_535;
/** Streams that the edge allows on a connection. */
export const streamsPerConnection = 100;

/** Opens an HTTP/2 connection to the edge from `address`. Errors of the connection are ignored. */
export function openSession(from: {
  readonly port: number;
  readonly address: string;
}): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${from.port}`, {
    localAddress: from.address,
    settings: { initialWindowSize: streamWindowBytes },
  } as object);
  session.on("error", () => {});
  session.on("connect", () => session.setLocalWindowSize(connectionWindowBytes));
  return session;
}

/** Sends a request; errors of the stream are ignored. */
export function send(
  session: ClientHttp2Session,
  { headers, body }: RawRequest,
): ClientHttp2Stream {
  const stream = session.request(headers, { endStream: body === undefined });
  stream.on("error", () => {});
  if (body) stream.end(body);
  return stream;
}

/** Resets the stream as a caller that no longer wants the answer. */
export function leave(stream: ClientHttp2Stream): void {
  stream.close(constants.NGHTTP2_CANCEL);
}

/** Resolves with the HTTP status of the answer; undefined if the stream ended without one. */
export function statusOf(stream: ClientHttp2Stream): Promise<number | undefined> {
  return new Promise((resolve) => {
    stream.on("response", (headers) => resolve(headers[":status"]));
    stream.on("close", () => resolve(undefined));
  });
}

/** Resolves when the first data of the answer has arrived, or the stream has ended. */
export function firstData(stream: ClientHttp2Stream): Promise<boolean> {
  return new Promise((resolve) => {
    stream.once("data", () => {
      stream.pause();
      resolve(true);
    });
    stream.on("close", () => resolve(false));
  });
}
