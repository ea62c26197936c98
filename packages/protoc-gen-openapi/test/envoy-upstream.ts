import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A gRPC server for any method. */
export type Upstream = AsyncDisposable & {
  readonly port: number;
  /** The path and the encoded messages of the last call. */
  readonly last: { readonly path: string; readonly messages: readonly Uint8Array[] };
  /** The encoded message of the next responses; empty at first. */
  answer: Uint8Array;
};

/** Starts a server on a free port that accepts every call and records the last one. */
export async function startUpstream(): Promise<Upstream> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  const upstream = { port: 0, last: { path: "", messages: [] as Uint8Array[] }, answer: empty };
  const handle = async (stream: ServerHttp2Stream, path: string) => {
    upstream.last = { path, messages: readMessages(await buffer(stream)) };
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(frame(upstream.answer));
  };
  server.on("stream", (stream, headers) => {
    handle(stream, headers[":path"] ?? "").catch((error) => stream.destroy(error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  upstream.port = (server.address() as AddressInfo).port;
  return Object.assign(upstream, {
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  });
}

const empty = new Uint8Array();
/** A flag and the length precede each message. */
const prefixBytes = 5;

function frame(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function readMessages(body: Buffer): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let at = 0;
  while (at < body.length) {
    const end = at + prefixBytes + body.readUInt32BE(at + 1);
    messages.push(body.subarray(at + prefixBytes, end));
    at = end;
  }
  return messages;
}
