/**
 * Loaded before a service (`node --import`): its wall clock is ahead by the milliseconds in the file
 * that CLOCK_AHEAD_FILE names, read again every 50 ms. The monotonic clock stays as it is.
 */
import { readFileSync } from "node:fs";

const readIntervalMs = 50;
const realNow = Date.now;
let aheadMs = 0;
const read = () => {
  try {
    aheadMs = Number(readFileSync(process.env.CLOCK_AHEAD_FILE, "utf8"));
  } catch {
    aheadMs = 0;
  }
};
read();
setInterval(read, readIntervalMs).unref();
Date.now = () => realNow() + aheadMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget),
});
