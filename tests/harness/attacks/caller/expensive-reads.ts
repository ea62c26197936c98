import { callerAttack, type User } from "../attack.ts";
import { openSession, send } from "../http2-session.ts";
import { untilAborted } from "./lanes.ts";
import { listOrders } from "./left-reads.ts";

/** One user reads all of their 1,000 orders, again and again, in parallel. */
export const expensiveReads = callerAttack({
  name: "expensive-reads",
  full: { seconds: 30, lanes: 20 },
  short: { seconds: 2, lanes: 20 },
  size: ({ lanes }) => `${lanes} parallel pages of 1,000 orders of 1 kB by one user`,
  async run(target, { lanes }, signal) {
    const request = listOrders("gRPC", target.users[0] as User);
    const session = openSession(target);
    const tally = { read: 0, refused: 0, bytes: 0 };
    await untilAborted(lanes, signal, async () => {
      const stream = send(session, request);
      let code: unknown;
      stream.on("response", (headers) => {
        code = headers["grpc-status"];
      });
      stream.on("trailers", (headers) => {
        code = headers["grpc-status"];
      });
      stream.on("data", (chunk: Buffer) => {
        tally.bytes += chunk.length;
      });
      const stop = () => stream.destroy();
      signal.addEventListener("abort", stop);
      await new Promise((resolve) => stream.on("close", resolve));
      signal.removeEventListener("abort", stop);
      if (!signal.aborted) tally[code === "0" ? "read" : "refused"] += 1;
    });
    session.destroy();
    return tally;
  },
});
