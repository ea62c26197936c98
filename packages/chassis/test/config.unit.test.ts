import assert from "node:assert/strict";
import { readEnvironment, serviceConfigOf, serviceEnvironment } from "../src/config.ts";

const complete = {
  DATABASE_URL: "postgres://orders:secret@127.0.0.1:5433/orders",
  AMQP_URL: "amqp://orders:secret@127.0.0.1:5672/settle",
};

describe("configuration", () => {
  it("has defaults for everything but the database and the broker", () => {
    assert.deepEqual(serviceConfigOf(readEnvironment(serviceEnvironment, complete)), {
      host: "127.0.0.1",
      port: 8080,
      databaseUrl: complete.DATABASE_URL,
      amqpUrl: complete.AMQP_URL,
      logLevel: "info",
      reflection: true,
      maxOutboxDepth: 1_000_000,
      drainMs: 3_000,
    });
  });

  it("reports every fault by its variable at once", () => {
    assert.throws(
      () => readEnvironment(serviceEnvironment, { PORT: "99999", DATABASE_URL: "mysql://x" }),
      (error: Error) => {
        for (const name of ["PORT", "DATABASE_URL", "AMQP_URL"])
          assert.match(error.message, new RegExp(name));
        return true;
      },
    );
  });
});
