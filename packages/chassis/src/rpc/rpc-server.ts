import { setTimeout as pause } from "node:timers/promises";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { createServiceImplSpec, type MethodImplSpec, type ServiceImpl } from "@connectrpc/connect";
import { ServerCredentials } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import { createValidation } from "../contract/validation.ts";
import type { Page } from "../docs/page.ts";
import { createAccessCheck } from "../identity/access.ts";
import type { TokenVerifier } from "../identity/token-verifier.ts";
import { createConnectHandlers } from "./connect-mount.ts";
import { createFairQueue } from "./fair-queue.ts";
import { mountGrpc } from "./grpc-mount.ts";
import { createGrpcServer } from "./grpc-server.ts";
import { type Health, mountHealth } from "./health.ts";
import { createHttpFront } from "./http-front.ts";
import { createReadPace } from "./read-pace.ts";
import { mountReflection } from "./reflection.ts";
import { createCalls } from "./rpc-call.ts";
import { defaultRpcLimits, type RpcLimits } from "./rpc-limits.ts";
import { createSharedPort } from "./shared-port.ts";
import { createUntakenAnswers } from "./untaken-answers.ts";
import type { WriteQuota } from "./write-quota.ts";

export type RpcServer = AsyncDisposable & {
  /** Listens and returns the address; rejects if the port is taken. */
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  /** The bytes of answers that wait for their readers. */
  readonly untakenBytes: number;
};

/** A service of the contract and its implementation. */
export type RpcService<Service extends DescService> = {
  readonly service: Service;
  readonly implementation: ServiceImpl<Service>;
};

/**
 * Serves unary and server-streaming methods over gRPC (h2c), gRPC-Web and Connect on one port, with
 * grpc.health.v1, `GET /healthz`, `pages` and, if `descriptors` (a `FileDescriptorSet`) are given,
 * gRPC reflection. All validation rules are compiled before this returns. Throws for a method that
 * does not declare who may call it. For what surrounds each handler, see {@link createCalls}.
 *
 * Disposing stops the server: it reports NOT_SERVING and keeps serving for a while, so that health
 * checks notice; it then accepts no more connections and sends GOAWAY; calls in progress get some
 * time to finish, and the rest are aborted with UNAVAILABLE; finally all connections are closed.
 * This never takes longer than the three limits together.
 */
export function createRpcServer<const Services extends readonly DescService[]>(options: {
  readonly services: { readonly [Index in keyof Services]: RpcService<Services[Index]> };
  readonly host: string;
  readonly port: number;
  /** The `domain` of every error. */
  readonly domain: string;
  readonly verifier: TokenVerifier;
  /** The methods that users may not call for themselves here; see {@link createAccessCheck}. */
  readonly noOwners?: ReadonlySet<DescMethod>;
  /** Limits the calls that change data, by caller; default: without limit. */
  readonly writeQuota?: WriteQuota;
  readonly health: Health;
  readonly descriptors: Uint8Array | undefined;
  /** Pages served over HTTP/1.1 without a token, by their paths; default none. */
  readonly pages?: ReadonlyMap<string, Page>;
  readonly limits?: Partial<RpcLimits>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes request ids. */
  readonly newId: () => string;
}): RpcServer {
  const { services, domain, verifier, noOwners, health, descriptors, clock, log, newId } = options;
  const limits = { ...defaultRpcLimits, ...options.limits };
  const methods = services.flatMap(methodsOf);
  const validation = createValidation(new Set(methods.map(({ method }) => method.input)));
  const pace = createReadPace(limits.readBytesPerSecond, clock);
  const calls = createCalls({
    domain,
    maxDeadlineMs: limits.maxDeadlineMs,
    verifier,
    checkAccess: createAccessCheck(
      methods.map(({ method }) => method),
      noOwners,
    ),
    validation,
    writeQuota: options.writeQuota,
    reads: createFairQueue(limits.reads, pace),
    pace,
    clock,
    log,
  });

  const untaken = createUntakenAnswers({
    maxBytes: limits.maxUntakenBytes,
    maxStallMs: limits.maxStallMs,
    pace,
    log,
  });
  const { server: grpc, answerOf } = createGrpcServer({ limits, untaken, domain, log });
  mountGrpc({ server: grpc, answerOf, methods, calls, newId });
  mountHealth({
    server: grpc,
    health,
    serviceNames: services.map(({ service }) => service.typeName),
    maxWatches: limits.maxHealthWatches,
    domain,
  });
  if (descriptors) {
    mountReflection({
      server: grpc,
      descriptors,
      maxStreams: limits.maxReflectionStreams,
      maxMs: limits.maxReflectionMs,
      domain,
    });
  }
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());

  const handlers = createConnectHandlers({ ...limits, methods, calls, untaken });
  const { pages = new Map() } = options;
  const http = createHttpFront({ handlers, pages, health, domain, limits, newId, log });
  const port = createSharedPort({
    ...limits,
    onHttp1: (socket) => http.emit("connection", socket),
    onHttp2: (socket) => injector.injectConnection(socket),
  });

  const stop = async () => {
    using _counts = untaken;
    health.stop();
    await pause(limits.drainMs);
    calls.refuseNew();
    const closed = port.close();
    grpc.tryShutdown(() => {});
    // Closes idle connections now; busy ones are not kept alive after their response.
    http.close();
    http.keepAliveTimeout = 1;
    if (await endsWithin(closed, limits.abortAfterMs)) return;
    calls.abortAll();
    if (await endsWithin(closed, limits.cutAfterMs)) return;
    log.warn("closing connections whose calls did not end in time");
    grpc.forceShutdown();
    port.cut();
    await closed;
  };
  let stopped: Promise<void> | undefined;

  return {
    async listen() {
      const { address, port: bound } = await port.listen(options.host, options.port);
      return { host: address, port: bound };
    },
    get untakenBytes() {
      return untaken.bytes;
    },
    [Symbol.asyncDispose]() {
      stopped ??= stop();
      return stopped;
    },
  };
}

function methodsOf({ service, implementation }: RpcService<DescService>): MethodImplSpec[] {
  return Object.values(createServiceImplSpec(service, implementation).methods);
}

/** Resolves with whether `done` settled within the timeout. */
async function endsWithin(done: Promise<void>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = pause(timeoutMs, false, { signal: timer.signal }).catch(() => false);
  const ended = await Promise.race([done.then(() => true), late]);
  timer.abort();
  return ended;
}
