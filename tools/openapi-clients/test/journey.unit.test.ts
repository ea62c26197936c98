import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Job } from "../client.ts";
import { makeJourney, parts } from "../journey.ts";

const timeoutMs = 30_000;
const job: Job = { document: "", folder: ".", withJourney: true, run: async () => "" };

describe("a journey", function () {
  this.timeout(timeoutMs);
  let payments: ChildProcess;
  before(async () => {
    payments = spawn(process.execPath, ["-e", "setInterval(() => {}, 1_000)"], { stdio: "ignore" });
    await once(payments, "spawn");
  });
  after(() => {
    payments.kill("SIGKILL");
  });

  /** Makes a journey with a client that prints these lines, and then runs `code`. */
  const journey = (printed: Readonly<Record<string, readonly string[]>>, code = "") => {
    const program = `for (const line of ${JSON.stringify(printed)}[process.argv[1]]) console.log(line);
      ${code}`;
    const command = { command: process.execPath, args: ["-e", program] };
    const client = { name: "fake", journey: async () => command };
    const paymentsPid = payments.pid ?? assert.fail();
    return makeJourney(client, job, { edgeUrl: "", paymentsPid, token: async () => "" });
  };

  it("is complete with all lines of both parts", async () => {
    await journey(parts);
  });

  it("fails with another value, a line fewer and a line more", async () => {
    const pay = [...parts.pay];
    await assert.rejects(journey({ ...parts, pay: pay.with(2, "deposit: 3e9 EUR") }), {
      message: 'it printed "deposit: 3e9 EUR" instead of "deposit: 3000000000 EUR"',
    });
    await assert.rejects(journey({ ...parts, pay: pay.slice(0, -1) }), {
      message: 'it printed "nothing" instead of "without a token: 401 UNAUTHENTICATED"',
    });
    await assert.rejects(journey({ ...parts, cancel: [...parts.cancel, "more"] }), {
      message: 'it printed "more" instead of "nothing"',
    });
  });

  it("fails at the step at which the client fails", async () => {
    const failing = journey({ ...parts, pay: parts.pay.slice(0, 2) }, 'throw new Error("no")');
    await assert.rejects(failing, { message: 'at "deposit": Error: no' });
  });

  it("stops payments in the second part only", async () => {
    const stat = `/proc/${payments.pid}/stat`;
    // Only Linux shows it.
    if (process.platform !== "linux") return;
    const look = `console.log(require("node:fs").readFileSync(${JSON.stringify(stat)}, "utf8").split(" ")[2])`;
    const inPay = journey({ pay: parts.pay, cancel: [] }, look);
    await assert.rejects(inPay, { message: /^it printed "[SR]" instead of "nothing"$/ });
    const inCancel = journey({ ...parts }, `if (process.argv[1] === "cancel") ${look}`);
    await assert.rejects(inCancel, { message: 'it printed "T" instead of "nothing"' });
    assert.match(readFileSync(stat, "utf8"), /\) [SR] /);
  });
});
