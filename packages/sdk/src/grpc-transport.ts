import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  decodeBinaryHeader,
  encodeBinaryHeader,
  type StreamResponse,
  type UnaryResponse,
} from "@connectrpc/connect";
import { type CallOptions, type Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import { StatusSchema } from "@settle/gen/google/rpc/status_pb";
import type { SettleTransport } from "@settle/sdk-runtime";

const statusHeader = "grpc-status-details-bin";

/**
 * A connect-es transport over a grpc-js client, for unary calls and server streams. Throws
 * ConnectErrors with the details of the status and its metadata. Disposing it closes the client.
 */
export function createGrpcTransport(client: Client): SettleTransport {
  return {
    unary: (method, signal, timeoutMs, header, input) =>
      callUnary(client, { method, signal, timeoutMs, header }, input),
    stream: (method, signal, timeoutMs, header, input) =>
      callStream(client, { method, signal, timeoutMs, header }, input),
    [Symbol.dispose]: () => client.close(),
  };
}

type HeadersInput = ConstructorParameters<typeof Headers>[0];
type Call<Method> = {
  readonly method: Method;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly header: HeadersInput | undefined;
};

function callUnary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  { method, signal, timeoutMs, header }: Call<DescMethodUnary<I, O>>,
  input: MessageInitShape<I>,
): Promise<UnaryResponse<I, O>> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let headers = new Headers();
    let message: MessageShape<O> | undefined;
    const cancel = () => call.cancel();
    const call = client.makeUnaryRequest(
      pathOf(method),
      bytesOf(method),
      messageOf(method),
      create(method.input, input),
      metadataOf(header),
      optionsOf(timeoutMs),
      (error, answer) => {
        signal?.removeEventListener("abort", cancel);
        if (error) reject(errorOf(error, headers));
        message = answer;
      },
    );
    signal?.addEventListener("abort", cancel, { once: true });
    call.on("metadata", (metadata) => {
      headers = headersOf(metadata);
    });
    call.on("status", ({ metadata }) => {
      if (!message) return;
      const trailer = headersOf(metadata);
      const { parent: service } = method;
      resolve({ stream: false, service, method, header: headers, message, trailer });
    });
  });
}

async function callStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  { method, signal, timeoutMs, header }: Call<DescMethodStreaming<I, O>>,
  input: AsyncIterable<MessageInitShape<I>>,
): Promise<StreamResponse<I, O>> {
  if (method.methodKind !== "server_streaming") {
    throw new ConnectError(
      `${method.name} is a client stream, which is not supported`,
      Code.Unimplemented,
    );
  }
  signal?.throwIfAborted();
  const first = await input[Symbol.asyncIterator]().next();
  if (first.done) throw new ConnectError("there is no request", Code.InvalidArgument);
  const call = client.makeServerStreamRequest(
    pathOf(method),
    bytesOf(method),
    messageOf(method),
    create(method.input, first.value),
    metadataOf(header),
    optionsOf(timeoutMs),
  );
  const cancel = () => call.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  const trailer = new Headers();
  const headers = await new Promise<Headers>((resolve, reject) => {
    call.once("metadata", (metadata) => resolve(headersOf(metadata)));
    call.on("status", ({ metadata }) => {
      signal?.removeEventListener("abort", cancel);
      copy(metadata, trailer);
    });
    // Never removed, because an error without a listener ends the process.
    call.on("error", (error) => reject(errorOf(error, new Headers())));
  });
  async function* answers(): AsyncGenerator<MessageShape<O>> {
    try {
      yield* call as AsyncIterable<MessageShape<O>>;
    } catch (error) {
      throw errorOf(error as Error, headers);
    } finally {
      call.cancel();
    }
  }
  const { parent: service } = method;
  return { stream: true, service, method, header: headers, message: answers(), trailer };
}

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

function bytesOf<I extends DescMessage>({ input }: { readonly input: I }) {
  return (message: MessageShape<I>) => Buffer.from(toBinary(input, message));
}

function messageOf<O extends DescMessage>({ output }: { readonly output: O }) {
  return (bytes: Uint8Array) => fromBinary(output, bytes);
}

function optionsOf(timeoutMs: number | undefined): CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function metadataOf(header: HeadersInput | undefined): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of new Headers(header)) {
    metadata.add(name, name.endsWith("-bin") ? Buffer.from(decodeBinaryHeader(value)) : value);
  }
  return metadata;
}

function headersOf(metadata: Metadata): Headers {
  const headers = new Headers();
  copy(metadata, headers);
  return headers;
}

function copy(metadata: Metadata, headers: Headers): void {
  for (const name of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(name)) {
      headers.append(name, typeof value === "string" ? value : encodeBinaryHeader(value));
    }
  }
}

/** Converts the status of a call, and the headers that came before it, to an error. */
function errorOf(error: Error & Partial<ServiceError>, headers: Headers): ConnectError {
  const { code, details = "", metadata } = error;
  // An error of Node's streams, not of grpc-js: the reader stopped before the end.
  if (code === undefined || !metadata) return ConnectError.from(error, Code.Canceled);
  const all = new Headers(headers);
  copy(metadata, all);
  const refusal = new ConnectError(details, code as number as Code, all);
  const [bytes] = metadata.get(statusHeader);
  if (!(bytes instanceof Buffer)) return refusal;
  refusal.details = fromBinary(StatusSchema, bytes).details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return refusal;
}
