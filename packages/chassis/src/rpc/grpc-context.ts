import { createContextValues, encodeBinaryHeader, type HandlerContext } from "@connectrpc/connect";
import { Metadata } from "@grpc/grpc-js";
import { type Call, requestIdKey } from "./active-call.ts";

/**
 * The context of a handler for a call through grpc-js. Headers are copied only when a handler asks
 * for them, because copying costs more than the rest of the call.
 */
export class GrpcContext implements HandlerContext {
  readonly protocolName = "grpc";
  readonly requestMethod = "POST";
  readonly values = createContextValues();
  readonly #call: Call;
  readonly #metadata: Metadata;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;

  constructor(call: Call, metadata: Metadata) {
    this.#call = call;
    this.#metadata = metadata;
    this.values.set(requestIdKey, call.requestId);
  }

  get method() {
    return this.#call.method;
  }
  get service() {
    return this.#call.method.parent;
  }
  get signal() {
    return this.#call.signal;
  }
  get timeoutMs() {
    return this.#call.timeoutMs;
  }
  get url() {
    return `/${this.service.typeName}/${this.method.name}`;
  }
  get requestHeader(): Headers {
    this.#requestHeader ??= headersOf(this.#metadata);
    return this.#requestHeader;
  }
  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }
  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** The response metadata: the request id and what the handler has set. */
  headers(): Metadata {
    const metadata = new Metadata();
    metadata.set("x-request-id", this.#call.requestId);
    copy(this.#responseHeader, metadata);
    return metadata;
  }
  /** The trailing response metadata, if the handler has set any. */
  trailers(): Metadata | undefined {
    if (!this.#responseTrailer) return undefined;
    const metadata = new Metadata();
    copy(this.#responseTrailer, metadata);
    return metadata;
  }
}

function copy(headers: Headers | undefined, metadata: Metadata): void {
  headers?.forEach((value, name) => {
    // HTTP allows more than gRPC, whose metadata is printable ASCII.
    const text = value.replace(/[^ -~]/g, "?");
    metadata.set(name, name.endsWith("-bin") ? Buffer.from(text, "base64") : text);
  });
}

function headersOf(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(metadata.toJSON())) {
    for (const value of values) {
      headers.append(name, typeof value === "string" ? value : encodeBinaryHeader(value));
    }
  }
  return headers;
}
