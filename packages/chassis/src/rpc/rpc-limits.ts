import type { FairQueueLimits } from "./fair-queue.ts";

/** All limits of an RPC server: no input can hold a connection, memory or the stop indefinitely. */
export type RpcLimits = {
  /** The largest request message. */
  readonly maxRequestBytes: number;
  /** The largest answer message. */
  readonly maxAnswerBytes: number;
  /** The longest deadline of a unary call, whatever its client allows. */
  readonly maxDeadlineMs: number;
  /** Unary reads. */
  readonly reads: FairQueueLimits;
  /** The bytes of answers to one user per second, on average; further reads wait. */
  readonly readBytesPerSecond: number;
  /**
   * Unary calls of one user by Connect or gRPC-Web that are open, until their answers have been taken:
   * each has a connection of the edge to itself.
   */
  readonly maxConnectCallsPerUser: number;
  /** Open connections; further ones are closed immediately. */
  readonly maxConnections: number;
  /** Concurrent calls on one HTTP/2 connection. */
  readonly maxStreamsPerConnection: number;
  /** The bytes of answers that wait for their readers, of all calls together. */
  readonly maxUntakenBytes: number;
  /** How long an answer may wait without any of it being taken; up to twice as long. */
  readonly maxStallMs: number;
  /** Concurrent streams of callers without a token: of reflection, and watches of the health. */
  readonly maxReflectionStreams: number;
  readonly maxHealthWatches: number;
  /** How long a stream of reflection may last. */
  readonly maxReflectionMs: number;
  /** How long a new connection may take to show which protocol it uses. */
  readonly prefaceTimeoutMs: number;
  /** HTTP/1.1: the time for all headers of a request, and for the whole of it. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** HTTP/1.1: how long an idle connection stays open. */
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
  /** HTTP/2: a silent connection is pinged, and closed if it does not answer. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Stop: how long the server keeps serving while it reports NOT_SERVING. */
  readonly drainMs: number;
  /** Stop: how long calls in progress may then take before they are aborted. */
  readonly abortAfterMs: number;
  /** Stop: how long aborted calls may take before their connections are closed. */
  readonly cutAfterMs: number;
};

/** The limits of a running service. With these, a stop takes at most 9 seconds. */
export const defaultRpcLimits: RpcLimits = {
  maxRequestBytes: 64 * 1024,
  maxAnswerBytes: 8 * 1024 * 1024,
  maxDeadlineMs: 15_000,
  reads: { maxRunning: 6, maxRunningPerUser: 2, maxWaiting: 2_000, maxWaitingPerUser: 100 },
  readBytesPerSecond: 2 * 1024 * 1024,
  maxConnectCallsPerUser: 192,
  maxConnections: 2_000,
  maxStreamsPerConnection: 1_000,
  maxUntakenBytes: 16 * 1024 * 1024,
  maxStallMs: 15_000,
  maxReflectionStreams: 32,
  maxHealthWatches: 100,
  maxReflectionMs: 60_000,
  prefaceTimeoutMs: 5_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  keepAliveTimeoutMs: 75_000,
  maxHeaders: 100,
  maxHeaderBytes: 16 * 1024,
  pingIntervalMs: 20_000,
  pingTimeoutMs: 10_000,
  drainMs: 3_000,
  abortAfterMs: 5_000,
  cutAfterMs: 1_000,
};
