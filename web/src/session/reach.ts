import { Code } from "@settle/sdk";

/** A service that calls go to, by the path of their URL. */
export type ReachedService = "orders" | "payments";
/** What did not answer: a service, or, if no call came through, the network. */
export type Away = ReachedService | "network";

/** What calls have found out about the network and the services. */
export type Reach = {
  /** What did not answer the last call to it. The set is a new one after each change. */
  readonly away: ReadonlySet<Away>;
  /** Calls the listener after each change; returns how to stop. */
  listen(listener: () => void): () => void;
  /** Like `fetch`, and notes what answers. */
  readonly fetch: typeof globalThis.fetch;
};

const gatewayFailures = [502, 503, 504];
/** How long a call may take before its service counts as away; it may still answer. */
const lateMs = 5_000;

/** Creates the state in which everything is expected to answer. */
export function createReach(
  send: typeof globalThis.fetch = (...call) => fetch(...call),
  { lateAfterMs = lateMs } = {},
): Reach {
  const listeners = new Set<() => void>();
  let away: ReadonlySet<Away> = new Set();
  const note = (changes: Readonly<Partial<Record<Away, boolean>>>) => {
    const next = new Set(away);
    for (const [what, isAway] of Object.entries(changes) as [Away, boolean][]) {
      if (isAway) next.add(what);
      else next.delete(what);
    }
    if (next.size === away.size && [...next].every((what) => away.has(what))) return;
    away = next;
    for (const listener of listeners) listener();
  };
  return {
    get away() {
      return away;
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async fetch(input, init) {
      const service = serviceOf(input);
      const late = setTimeout(() => {
        if (service && !isWatch(input)) note({ [service]: true });
      }, lateAfterMs);
      try {
        const response = await send(input, init);
        const isAway = isGatewayFailure(response);
        note({ network: false, ...(service && { [service]: isAway }) });
        return response;
      } catch (error) {
        const { signal } = init ?? {};
        if (!signal?.aborted) note({ network: true });
        // Nobody has answered in time: the network, or what is behind it, is stuck.
        else if (service && isTimeout(signal.reason)) note({ [service]: true });
        throw error;
      } finally {
        clearTimeout(late);
      }
    },
  };
}

function serviceOf(input: string | URL | Request): ReachedService | undefined {
  const [, service] = /\/(orders|payments)\.v\d+\./.exec(urlOf(input)) ?? [];
  return service as ReachedService | undefined;
}

/** A proxy may hold back the start of a stream, while its service answers everything else. */
function isWatch(input: string | URL | Request): boolean {
  return urlOf(input).endsWith("/WatchOrders");
}

function urlOf(input: string | URL | Request): string {
  return input instanceof Request ? input.url : String(input);
}

/** Whether the edge answered for a service. By gRPC-Web, it says so in a header. */
function isGatewayFailure({ status, headers }: Response): boolean {
  return (
    gatewayFailures.includes(status) || headers.get("grpc-status") === String(Code.Unavailable)
  );
}

function isTimeout(reason: unknown): boolean {
  return (reason as { readonly code?: unknown } | undefined)?.code === Code.DeadlineExceeded;
}
