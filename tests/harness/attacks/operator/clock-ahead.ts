import { setTimeout as pause } from "node:timers/promises";
import { operatorAttack } from "../attack.ts";

const dayMs = 24 * 3_600_000;

/** The clock of orders jumps ahead, and back. */
export const clockAhead = operatorAttack({
  name: "clock-ahead",
  full: { seconds: 20, days: 4, forS: 10 },
  short: { seconds: 3, days: 4, forS: 2 },
  size: ({ days, forS }) => `the clock of orders ${days} days ahead for ${forS} s`,
  async run({ setClockAhead }, { days, forS }) {
    setClockAhead(days * dayMs);
    await pause(forS * 1_000);
    setClockAhead(0);
    return {};
  },
});
