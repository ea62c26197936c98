import { Code } from "@connectrpc/connect";
import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import { status as grpcStatus } from "@grpc/grpc-js";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { service as healthService } from "grpc-health-check";
import { inDomain, refuse } from "../contract/errors.ts";
import { grpcStatusOf } from "./grpc-status.ts";

export type Health = {
  readonly serving: boolean;
  readonly stopped: boolean;
  /** Sets whether the service is ready. Has no effect after {@link Health.stop}. */
  setServing(serving: boolean): void;
  /** Sets the service to not ready for good. */
  stop(): void;
  /** Calls `listener` after every change until the returned function is called. */
  onChange(listener: () => void): () => void;
};

/** Starts as not ready. The broker does not affect it: orders are accepted without the broker. */
export function createHealth(): Health {
  const listeners = new Set<() => void>();
  let serving = false;
  let stopped = false;
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    get serving() {
      return serving;
    },
    get stopped() {
      return stopped;
    },
    setServing(value) {
      if (stopped || value === serving) return;
      serving = value;
      tell();
    },
    stop() {
      if (stopped) return;
      serving = false;
      stopped = true;
      tell();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export type ServingStatus = "SERVING" | "NOT_SERVING";

/** Returns the current status, as `/healthz` and grpc.health.v1 report it. */
export function servingStatusOf(health: Health): ServingStatus {
  return health.serving ? "SERVING" : "NOT_SERVING";
}

type Request = { readonly service: string };
type Response = { readonly status: ServingStatus | "SERVICE_UNKNOWN" };

/**
 * Serves grpc.health.v1 for the whole server (the empty name) and each of `serviceNames`, all with
 * the same status. Watches of other names get SERVICE_UNKNOWN. Every watch ends with the service;
 * those beyond `maxWatches` are refused with RESOURCE_EXHAUSTED, because they need no token.
 *
 * The package's own implementation is not used, because it keeps every name that was ever watched.
 */
export function mountHealth(options: {
  readonly server: Server;
  readonly health: Health;
  readonly serviceNames: readonly string[];
  readonly maxWatches: number;
  readonly domain: string;
}): void {
  const { server, health, serviceNames, maxWatches, domain } = options;
  let watches = 0;
  const known = new Set(["", ...serviceNames]);
  const responseFor = (name: string): Response => ({
    status: known.has(name) ? servingStatusOf(health) : "SERVICE_UNKNOWN",
  });

  server.addService(healthService, {
    check(call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) {
      const name = call.request.service;
      if (known.has(name)) answer(null, responseFor(name));
      else answer({ code: grpcStatus.NOT_FOUND, details: "no such service" });
    },
    watch(call: ServerWritableStream<Request, Response>) {
      if (watches >= maxWatches) {
        call.emit("error", grpcStatusOf(inDomain(tooMany(), domain)));
        return;
      }
      const tell = () => {
        // A reader that has fallen behind gets the status of the time when it has caught up.
        if (!call.writableNeedDrain) call.write(responseFor(call.request.service));
        if (health.stopped) call.end();
      };
      const forget = health.onChange(tell);
      watches += 1;
      call.once("cancelled", () => {
        watches -= 1;
        forget();
      });
      call.on("drain", tell);
      tell();
    },
    list(_call: unknown, answer: sendUnaryData<{ statuses: Record<string, Response> }>) {
      answer(null, { statuses: Object.fromEntries([...known].map((n) => [n, responseFor(n)])) });
    },
  });
}

const tooMany = () =>
  refuse(
    Code.ResourceExhausted,
    ErrorReason.TOO_MANY_STREAMS,
    "too many watches of the health are open; try again later",
  );
