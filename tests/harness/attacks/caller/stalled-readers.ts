import type { ClientHttp2Stream } from "node:http2";
import { setTimeout as pause } from "node:timers/promises";
import { callerAttack, type User } from "../attack.ts";
import { protocols } from "../good-caller.ts";
import { leave, openSession, send, streamsPerConnection } from "../http2-session.ts";
import { hold } from "./lanes.ts";
import { listOrders } from "./left-reads.ts";

/** Between connections, so that the readers do not all ask in the same millisecond. */
const rampMs = 50;

/** Lists of 1,000 orders of 1 kB whose callers take the first bytes and nothing more. */
export const stalledReaders = protocols.map((protocol) =>
  callerAttack({
    name: `stalled-readers-${protocol.toLowerCase()}`,
    full: { seconds: 20, readers: 2_000 },
    short: { seconds: 2, readers: 300 },
    size: ({ readers }) =>
      `${readers} readers of 1,000 orders of 1 kB stall on ${readers / streamsPerConnection} connections`,
    async run(target, { readers }, signal) {
      const request = listOrders(protocol, target.users[0] as User);
      const sessions = [];
      const tally = { answered: 0, refused: 0 };
      const note = (stream: ClientHttp2Stream) =>
        stream.on("response", (headers) => {
          // A refusal by gRPC is an answer of headers only.
          const isRefused = headers[":status"] !== 200 || headers["grpc-status"] !== undefined;
          tally[isRefused ? "refused" : "answered"] += 1;
        });
      const streams = [];
      for (let opened = 0; opened < readers; opened += streamsPerConnection) {
        const session = openSession(target);
        sessions.push(session);
        for (let one = 0; one < streamsPerConnection; one += 1) {
          const stream = send(session, request);
          note(stream);
          streams.push(stream);
        }
        await pause(rampMs);
      }
      await hold(signal);
      const tallied = { opened: streams.length, ...tally };
      for (const stream of streams) leave(stream);
      for (const session of sessions) session.destroy();
      return tallied;
    },
  }),
);
