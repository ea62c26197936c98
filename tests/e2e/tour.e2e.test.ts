import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { eventually } from "@settle/chassis/testing";
import { readTour, typeCommand } from "../harness/documents/tour-commands.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { readTestAuth } from "../harness/system/tokens.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tour = readTour(root);

describe("the tour of README and the API reference", () => {
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

  it("has its commands", () => assert.ok(tour.length >= 20, `only ${tour.length} commands`));

  // `npm run token` uses the issuer of a running stack, here that of the test run.
  const variables = { AUTH_PORT: new URL(readTestAuth().issuer).port };
  for (const command of tour) {
    it(command.script.trim(), () =>
      typeCommand(command, { host: new URL(system.edgeUrl).host, root, variables }),
    );
  }
});
