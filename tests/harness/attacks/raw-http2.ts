import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { RawRequest } from "./requests.ts";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const frameHeadBytes = 9;
const [data, headers, reset, settings, ping, goAway] = [0, 1, 3, 4, 6, 7];
const [ack, endStream, endHeaders] = [1, 1, 4];
const cancel = 8;

/**
 * An HTTP/2 connection that writes frames as fast as the network takes them, and ignores answers:
 * what an attacker uses that does not keep the rules of a client library.
 */
export type RawConnection = Disposable & {
  /** Whether the edge has closed it. */
  readonly isClosed: boolean;
  /** Queues a request and returns the number of its stream. */
  request(request: RawRequest): number;
  /** Queues a reset of the stream. */
  reset(stream: number): void;
  /** Writes what is queued; resolves when the network has taken it, or the connection is closed. */
  flush(): Promise<void>;
};

/** Connects to the edge from `address`. */
export async function openRaw(from: {
  readonly port: number;
  readonly address: string;
}): Promise<RawConnection> {
  const socket = connect({ host: "127.0.0.1", port: from.port, localAddress: from.address });
  let isClosed = false;
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
  });
  await Promise.race([once(socket, "connect"), once(socket, "close")]).catch(() => {});
  socket.write(preface);
  socket.write(frame(settings, 0, 0));
  answerControlFrames(socket);
  const encoded = new Map<RawRequest, Buffer>();
  let queued: Buffer[] = [];
  let nextStream = 1;
  return {
    get isClosed() {
      return isClosed;
    },
    request(request) {
      const stream = nextStream;
      nextStream += 2;
      const block = encoded.get(request) ?? encode(request.headers);
      encoded.set(request, block);
      const { body } = request;
      queued.push(frame(headers, endHeaders | (body ? 0 : endStream), stream, block));
      if (body) queued.push(frame(data, endStream, stream, body));
      return stream;
    },
    reset(stream) {
      const code = Buffer.alloc(4);
      code.writeUInt32BE(cancel);
      queued.push(frame(reset, 0, stream, code));
    },
    async flush() {
      const bytes = Buffer.concat(queued);
      queued = [];
      if (isClosed || socket.write(bytes)) return;
      await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

function answerControlFrames(socket: Socket): void {
  let received: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= frameHeadBytes) {
      const end = frameHeadBytes + received.readUIntBE(0, 3);
      if (received.length < end) return;
      const [type, flags] = [received[3] ?? 0, received[4] ?? 0];
      if (type === settings && !(flags & ack)) socket.write(frame(settings, ack, 0));
      if (type === ping && !(flags & ack)) {
        socket.write(frame(ping, ack, 0, received.subarray(frameHeadBytes, end)));
      }
      if (type === goAway) socket.destroy();
      received = received.subarray(end);
    }
  });
}

function frame(type = 0, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Encodes headers by HPACK, as literals that are not indexed. */
function encode(fields: Readonly<Record<string, string>>): Buffer {
  const all = { ":scheme": "http", ":authority": "edge", ...fields };
  // Pseudo-headers must come first.
  const sorted = Object.entries(all).sort(
    ([one], [other]) => Number(other.startsWith(":")) - Number(one.startsWith(":")),
  );
  return Buffer.concat(
    sorted.flatMap(([name, value]) => [Buffer.of(0), lengthThen(name), lengthThen(value)]),
  );
}

function lengthThen(text: string): Buffer {
  const bytes: number[] = [];
  let left = text.length - 127;
  if (left < 0) bytes.push(text.length);
  else {
    bytes.push(127);
    for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
    bytes.push(left);
  }
  return Buffer.concat([Buffer.from(bytes), Buffer.from(text, "latin1")]);
}
