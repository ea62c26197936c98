import { create } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { refuse } from "@settle/chassis/contract/errors";
import type { TokenVerifier } from "@settle/chassis/identity/token-verifier";
import type { RpcLimits } from "@settle/chassis/rpc/rpc-limits";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { RetryInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { errorClasses } from "@settle/gen-sdk/errors";
import { createServices } from "@settle/gen-sdk/services";
import { connect, grpc, grpcWeb, type TransportFactory } from "@settle/sdk/node";
import { type CallerOptions, createCaller, type Timing } from "@settle/sdk-runtime";
import { type Orders, setup } from "../../chassis/test/rpc/rpc-setup.ts";

/** Every transport of the SDK, by the name of its protocol. */
export const transports: Readonly<Record<string, TransportFactory>> = {
  "Connect in JSON": connect(),
  "Connect in binary": connect({ binary: true }),
  "gRPC-Web": grpcWeb(),
  gRPC: grpc(),
};

/** A timing that only pauses advance, at once. Records them. The random number is fixed. */
export function createTestTiming(random = 0.5): Timing & { readonly pausesMs: number[] } {
  const pausesMs: number[] = [];
  let nowMs = 0;
  return {
    pausesMs,
    nowMs: () => nowMs,
    random: () => random,
    async pause(delayMs, signal) {
      signal.throwIfAborted();
      pausesMs.push(delayMs);
      nowMs += delayMs;
    },
  };
}

/** Creates a client with its own server, on which `orders` implements orders. */
export async function setupSdk(
  orders: Partial<Orders>,
  options: Partial<CallerOptions> & {
    readonly by?: TransportFactory | undefined;
    readonly verifier?: TokenVerifier;
    readonly limits?: Partial<RpcLimits>;
  } = {},
) {
  await using stack = new AsyncDisposableStack();
  const { by = connect(), verifier, limits = {}, ...rest } = options;
  const server = stack.use(await setup({ orders, limits, ...(verifier && { verifier }) }));
  const timing = createTestTiming();
  const transport = by(server.baseUrl);
  const caller = stack.use(
    createCaller({ transport, token: "a-token", timing, errorClasses, ...rest }),
  );
  const owned = stack.move();
  return {
    server,
    caller,
    pausesMs: timing.pausesMs,
    ...createServices(caller),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Accepts this token only, and records the tokens it has received. */
export function verifierOf(valid: () => string): TokenVerifier & { readonly shown: string[] } {
  const shown: string[] = [];
  return {
    shown,
    verify(authorization) {
      shown.push(authorization ?? "");
      if (authorization === `Bearer ${valid()}`) {
        return { userId: "alice", scopes: new Set(), expireTimeMs: Number.MAX_SAFE_INTEGER };
      }
      throw refuse(Code.Unauthenticated, ErrorReason.UNAUTHENTICATED, "the token is not valid");
    },
  };
}

/** UNAVAILABLE as from a service, with a retry delay if one is given. */
export function unavailable(retryAfterS?: number): ConnectError {
  const error = refuse(Code.Unavailable, ErrorReason.UNAVAILABLE, "try again later");
  if (retryAfterS === undefined) return error;
  const value = create(RetryInfoSchema, { retryDelay: { seconds: BigInt(retryAfterS) } });
  error.details.push({ desc: RetryInfoSchema, value });
  return error;
}

/** A valid order. */
export const request = {
  userId: "alice",
  amount: { minorUnits: 250n, currency: "EUR" },
  description: "two tickets",
};
export const orderId = "01890000-0000-7000-8000-000000000000";
