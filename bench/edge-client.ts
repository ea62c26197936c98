import { once } from "node:events";
import { connect, type Socket } from "node:net";

const requestTimeoutMs = 20_000;
const headEnd = Buffer.from("\r\n\r\n");

export type Answer = { readonly status: number; readonly body: string };

/** A minimal HTTP/1.1 client with keep-alive, for the load generator. */
export type EdgeClient = Disposable & {
  /**
   * Posts JSON with the given `authorization` header on an idle or a new connection, and resolves
   * with the whole response. Rejects if the connection breaks or is silent for 20 s, or if the
   * response has no content-length.
   */
  post(path: string, authorization: string, json: string): Promise<Answer>;
  /** Gets a path, and otherwise does as {@link post}. */
  get(path: string, authorization: string): Promise<Answer>;
};

/** Creates a client of the server on this port of loopback; connections are opened on demand. */
export function createEdgeClient(port: number): EdgeClient {
  const open = new Set<Connection>();
  const free: Connection[] = [];
  const exchange = async (request: string): Promise<Answer> => {
    let connection = free.pop();
    // The edge closes idle connections.
    while (connection?.isClosed) connection = free.pop();
    connection ??= await Connection.open(port);
    open.add(connection);
    const answer = await connection.exchange(request);
    free.push(connection);
    return answer;
  };
  return {
    post: (path, authorization, json) =>
      exchange(
        `POST ${path} HTTP/1.1\r\nhost: edge\r\ncontent-type: application/json\r\n` +
          `authorization: ${authorization}\r\n` +
          `content-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
      ),
    get: (path, authorization) =>
      exchange(`GET ${path} HTTP/1.1\r\nhost: edge\r\nauthorization: ${authorization}\r\n\r\n`),
    [Symbol.dispose]() {
      for (const connection of open) connection.close();
    },
  };
}

class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<Answer> | undefined;

  static async open(port: number): Promise<Connection> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, timeout: requestTimeoutMs });
    await once(socket, "connect");
    return new Connection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on(
      "timeout",
      () => this.#waiting && socket.destroy(new Error("the edge does not respond")),
    );
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("the edge closed the connection")));
  }

  exchange(request: string): Promise<Answer> {
    this.#waiting = Promise.withResolvers<Answer>();
    this.#socket.write(request);
    return this.#waiting.promise;
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const bodyStart = this.#received.indexOf(headEnd) + headEnd.length;
    if (bodyStart < headEnd.length) return;
    const head = this.#received.toString("latin1", 0, bodyStart);
    const length = /^content-length: (\d+)\r$/im.exec(head)?.[1];
    if (length === undefined) {
      this.#socket.destroy(new Error(`a response without content-length: ${head}`));
      return;
    }
    const end = bodyStart + Number(length);
    if (this.#received.length < end) return;
    const body = this.#received.toString("utf8", bodyStart, end);
    this.#received = this.#received.subarray(end);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }
}
