import { setTimeout as pause } from "node:timers/promises";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { callerAttack, ordersAnswered, type User } from "../attack.ts";
import { createGoodCaller, type Protocol, protocols } from "../good-caller.ts";
import { firstData, openSession, send } from "../http2-session.ts";
import { requestOf } from "../requests.ts";
import { hold, untilAborted } from "./lanes.ts";

const watchesPerUser = 10;
const refusalPauseMs = 20;

/** One user orders as fast as the system answers. */
export const writeFlood = callerAttack({
  name: "write-flood",
  full: { seconds: 30, connections: 64 },
  short: { seconds: 2, connections: 64 },
  size: ({ connections }) => `one user orders from ${connections} connections without a pause`,
  async run(target, { connections }, signal) {
    const user = target.users[1] as User;
    const tally = { [ordersAnswered]: 0, refused: 0 };
    const callers = Array.from({ length: connections }, () => createGoodCaller("REST", target));
    await untilAborted(connections, signal, async (lane) => {
      try {
        await callers[lane]?.create(user, 1, "write-flood");
        tally[ordersAnswered] += 1;
      } catch {
        tally.refused += 1;
        await pause(refusalPauseMs);
      }
    });
    for (const caller of callers) caller[Symbol.dispose]();
    return tally;
  },
});

/** Several users of one address open as many watches as they may, and keep them. */
export const watchFlood = callerAttack({
  name: "watch-flood",
  full: { seconds: 20, users: 60 },
  short: { seconds: 2, users: 60 },
  size: ({ users }) => `${users} users of one address open ${watchesPerUser} watches each`,
  async run(target, { users }, signal) {
    const sessions = [];
    const begun: Promise<boolean>[] = [];
    for (const [at, user] of target.users.slice(1, 1 + users).entries()) {
      const session = openSession(target);
      sessions.push(session);
      const protocol = protocols[at % protocols.length] as Protocol;
      const asked = { userId: user.userId, afterRevision: 2n ** 62n };
      const request = requestOf(protocol, OrdersService.method.watchOrders, asked, user);
      for (let one = 0; one < watchesPerUser; one += 1) {
        const stream = send(session, request);
        begun.push(firstData(stream));
        stream.on("data", () => {});
      }
    }
    await hold(signal);
    for (const session of sessions) session.destroy();
    const served = (await Promise.all(begun)).filter(Boolean).length;
    return { asked: begun.length, served };
  },
});
