import { setTimeout as pause } from "node:timers/promises";
import { topologyOf } from "@settle/chassis/contract/topology";
import { operatorAttack } from "../attack.ts";

const pollIntervalMs = 500;
const backWithinS = 35;
/** A line a minute about each queue and event is enough. */
const linesMax = 50;

/** Somebody deletes the work queue of payments. */
export const deletedQueue = operatorAttack({
  name: "deleted-queue",
  // Orders of the time without a queue wait in the outbox; new calls are answered.
  goals: { isOutage: true },
  full: { seconds: 40 },
  short: { seconds: 40 },
  size: () => "the work queue of payments deleted",
  faultsOf({ "back after s": backS, "lines logged": lines = 0 }) {
    return [
      ...(backS === undefined ? [`it was not back after ${backWithinS} s`] : []),
      ...(lines > linesMax ? [`${lines} lines were logged`] : []),
    ];
  },
  async run({ manage, vhost, provisionQueues, countLogLines }) {
    const queue = `queues/${encodeURIComponent(vhost)}/${topologyOf("payments").work}`;
    const linesOf = () => countLogLines("orders") + countLogLines("payments");
    const [linesBefore, startMs] = [linesOf(), performance.now()];
    const passedS = () => Math.round((performance.now() - startMs) / 1_000);
    await manage("DELETE", queue);
    const isThere = () => manage("GET", queue).then(Boolean, () => false);
    while (passedS() < backWithinS) {
      await pause(pollIntervalMs);
      if (await isThere()) {
        return { "back after s": passedS(), "lines logged": linesOf() - linesBefore };
      }
    }
    const lines = linesOf() - linesBefore;
    await provisionQueues();
    return { "lines logged": lines };
  },
});
