/** Runs one attack over the network with the lowest priority, and sends what it did to its parent. */
import { setPriority } from "node:os";
import type { CallerTarget, Form } from "./attack.ts";
import { callerAttacks } from "./caller/catalog.ts";

setPriority(19);
const [name = "", form = "full", target = ""] = process.argv.slice(2);
const attack = callerAttacks.find((one) => one.name === name);
if (!attack) throw new Error(`there is no attack ${name}`);
const stop = new AbortController();
process.on("message", () => stop.abort());
process.on("disconnect", () => process.exit());
const run = attack.in(form as Form);
const tally = await run.run(JSON.parse(target) as CallerTarget, stop.signal);
process.send?.(tally, () => process.exit());
