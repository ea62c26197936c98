import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { eventually } from "@settle/chassis/testing";
import { holds, readTour } from "../readme.ts";
import { type System, startSystem } from "../system.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const tour = readTour(readFileSync(new URL("../../README.md", import.meta.url), "utf8"));

describe("README's commands", () => {
  let system: System;
  before(async () => {
    system = await startSystem();
    await Promise.all([
      system.start("orders", { port: system.ports.orders }),
      system.start("payments", { port: system.ports.payments }),
    ]);
    await eventually("the edge is healthy", async () =>
      (await fetch(`${system.edgeUrl}/healthz`)).ok ? true : undefined,
    );
  });
  after(() => system?.[Symbol.asyncDispose]());

  it("are found", () => assert.ok(tour.length >= 11, `only ${tour.length} commands`));

  for (const { script, expected } of tour) {
    it(script.trim(), async () => {
      const lines = script
        .trim()
        .replaceAll("localhost:8000", new URL(system.edgeUrl).host)
        .split("\n");
      const last = lines.pop() ?? "";
      const print = async (line: string) =>
        JSON.parse((await run("bash", ["-c", line], { cwd: root })).stdout);
      for (const line of lines) await print(line);
      let printed: unknown = await print(last);
      // What only looks may look again: an order settles some milliseconds after its answer.
      if (!/ -d /.test(last)) {
        await eventually("the command prints what README shows", async () => {
          if (holds(printed, expected)) return true;
          printed = await print(last);
          return undefined;
        }).catch(() => {});
      }
      assert.ok(holds(printed, expected), `it printed ${JSON.stringify(printed)}`);
    });
  }
});
