import { setTimeout as pause } from "node:timers/promises";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { dueTimes, sendOnSchedule } from "../../../../bench/schedule.ts";
import { type OperatorTarget, operatorAttack, ordersAnswered, type User } from "../attack.ts";
import { createGoodCaller, protocols } from "../good-caller.ts";

const firstUser = 4;
const usersOfLoad = 40;
const callersPerProtocol = 4;
const firstAfterS = 1;
const findTimeoutMs = 15_000;

/** RabbitMQ closes the connections of all consumers, several times, under a steady load. */
export const lostChannels = operatorAttack({
  name: "lost-channels",
  goals: { recoveryS: 10 },
  full: { seconds: 30, outages: 3, everyS: 7, ordersPerSecond: 100 },
  short: { seconds: 4, outages: 2, everyS: 2, ordersPerSecond: 20 },
  size: ({ outages, ordersPerSecond }) =>
    `the consumers' connections closed ${outages} times at ${ordersPerSecond} orders/s`,
  async run(target, { outages, everyS, ordersPerSecond }) {
    const load = loadOf(target, ordersPerSecond, firstAfterS + outages * everyS);
    let closed = 0;
    await pause(firstAfterS * 1_000);
    for (let outage = 0; outage < outages; outage += 1) {
      closed += await closeConsumers(target);
      await pause(everyS * 1_000);
    }
    return { "connections closed": closed, ...(await load) };
  },
});

async function loadOf(target: OperatorTarget, perSecond: number, seconds: number) {
  const callers = protocols.flatMap((protocol) =>
    Array.from({ length: callersPerProtocol }, () => createGoodCaller(protocol, target)),
  );
  const users = target.users.slice(firstUser, firstUser + usersOfLoad);
  const tally = { [ordersAnswered]: 0, "orders refused": 0 };
  let turn = 0;
  await sendOnSchedule(dueTimes(perSecond, seconds), async () => {
    turn += 1;
    try {
      await callers[turn % callers.length]?.create(
        users[turn % users.length] as User,
        1,
        "lost-channels",
      );
      tally[ordersAnswered] += 1;
    } catch {
      tally["orders refused"] += 1;
    }
  });
  for (const caller of callers) caller[Symbol.dispose]();
  return tally;
}

/** Closes the connections that consume the work queues, and returns their number. */
async function closeConsumers({ manage, vhost }: OperatorTarget): Promise<number> {
  const queues = new Set(["orders", "payments"].map((name) => topologyOf(name).work));
  type Consumer = { queue: { name: string }; channel_details: { connection_name?: string } };
  // The management API lists consumers a few seconds late.
  const names = await eventually(
    "both consumers are listed",
    async () => {
      const consumers = (await manage(
        "GET",
        `consumers/${encodeURIComponent(vhost)}`,
      )) as Consumer[];
      const found = consumers.filter(({ queue }) => queues.has(queue.name));
      const listed = new Set(found.flatMap((one) => one.channel_details.connection_name ?? []));
      return listed.size >= queues.size ? listed : undefined;
    },
    findTimeoutMs,
  );
  await Promise.all(
    [...names].map((name) =>
      manage("DELETE", `connections/${encodeURIComponent(name)}`).catch(() => {}),
    ),
  );
  return names.size;
}
