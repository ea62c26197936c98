import { setTimeout as pause } from "node:timers/promises";
import { topologyOf } from "@settle/chassis/contract/topology";
import { operatorAttack } from "../attack.ts";

const pollIntervalMs = 500;

/** Somebody deletes the work queue of payments. */
export const deletedQueue = operatorAttack({
  name: "deleted-queue",
  // Orders of the time without a queue wait in the outbox; new calls are answered.
  goals: { isOutage: true },
  full: { seconds: 40, waitS: 40 },
  short: { seconds: 40, waitS: 40 },
  size: () => "the work queue of payments deleted",
  async run({ manage, vhost, provisionQueues, countLogLines }, { waitS }) {
    const queue = `queues/${encodeURIComponent(vhost)}/${topologyOf("payments").work}`;
    const linesOf = () => countLogLines("orders") + countLogLines("payments");
    const [linesBefore, startMs] = [linesOf(), performance.now()];
    const passedS = () => Math.round((performance.now() - startMs) / 1_000);
    await manage("DELETE", queue);
    const isThere = () => manage("GET", queue).then(Boolean, () => false);
    while (passedS() < waitS) {
      await pause(pollIntervalMs);
      if (await isThere()) {
        return { "back after s": passedS(), "lines logged": linesOf() - linesBefore };
      }
    }
    const lines = linesOf() - linesBefore;
    await provisionQueues();
    return { "not back after s": waitS, "lines logged": lines };
  },
});
