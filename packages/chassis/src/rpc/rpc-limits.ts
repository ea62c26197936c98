/** Every limit of an RPC server, so that no input holds a connection, memory or a stop for ever. */
export type RpcLimits = {
  /** The largest request message. */
  readonly maxRequestBytes: number;
  /** The largest answer message. */
  readonly maxAnswerBytes: number;
  /** A unary call ends within this time, whatever its client allows. */
  readonly maxDeadlineMs: number;
  /** Open connections; more are closed at once. */
  readonly maxConnections: number;
  /** Calls under way on one HTTP/2 connection. */
  readonly maxStreamsPerConnection: number;
  /** Memory that one HTTP/2 connection may hold, in megabytes. */
  readonly maxSessionMegabytes: number;
  /** A new connection has to say in this time which protocol it speaks. */
  readonly prefaceTimeoutMs: number;
  /** HTTP/1.1: the time for all headers of a request, and for the whole of it. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** HTTP/1.1: how long an idle connection stays open. */
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
  /** HTTP/2: a silent connection is pinged, and closed when it does not answer. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Stop: how long the server serves on after it called itself NOT_SERVING. */
  readonly drainMs: number;
  /** Stop: how long calls under way may then take before they are aborted. */
  readonly abortAfterMs: number;
  /** Stop: how long aborted calls may take before their connections are cut. */
  readonly cutAfterMs: number;
};

/** What a service runs with; a stop takes at most 9 seconds. */
export const defaultRpcLimits: RpcLimits = {
  maxRequestBytes: 64 * 1024,
  maxAnswerBytes: 8 * 1024 * 1024,
  maxDeadlineMs: 15_000,
  maxConnections: 2_000,
  maxStreamsPerConnection: 1_000,
  maxSessionMegabytes: 32,
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
