import assert from "node:assert/strict";
import { readEnvironment, serviceConfigOf, serviceEnvironment } from "../src/config.ts";

const complete = {
  DATABASE_URL: "postgres://orders:secret@127.0.0.1:5433/orders",
  AMQP_URL: "amqp://orders:secret@127.0.0.1:5672/settle",
  AUTH_ISSUER: "http://localhost:8003",
  AUTH_AUDIENCE: "settle",
  AUTH_JWKS_URL: "http://localhost:8003/.well-known/jwks.json",
};

describe("configuration", () => {
  it("has defaults for everything but the database, the broker and the issuer", () => {
    assert.deepEqual(serviceConfigOf(readEnvironment(serviceEnvironment, complete)), {
      host: "127.0.0.1",
      port: 8080,
      databaseUrl: complete.DATABASE_URL,
      amqpUrl: complete.AMQP_URL,
      metrics: { host: "127.0.0.1", port: undefined },
      logLevel: "info",
      reflection: true,
      maxOutboxDepth: 1_000_000,
      eventBatches: "off",
      writeQuota: { perSecond: 200, perDay: 1_000_000 },
      connections: { readConnections: 6, writeConnections: 16 },
      reads: { maxRunning: 6, maxRunningPerUser: 2, maxWaiting: 2_000, maxWaitingPerUser: 100 },
      readBytesPerSecond: 2 * 1024 * 1024,
      maxConnectCallsPerUser: 192,
      maxUntakenBytes: 16 * 1024 * 1024,
      drainMs: 3_000,
      auth: {
        issuer: complete.AUTH_ISSUER,
        audience: complete.AUTH_AUDIENCE,
        jwksUrl: complete.AUTH_JWKS_URL,
        userClaim: "sub",
        scopeClaim: "scope",
      },
      tokenUrl: `${complete.AUTH_ISSUER}/token`,
      edgeUrl: "http://localhost:8000",
    });
  });

  it("offers no tokens on the docs page in production", () => {
    const values = readEnvironment(serviceEnvironment, { ...complete, NODE_ENV: "production" });
    assert.equal(serviceConfigOf(values).tokenUrl, undefined);
  });

  it("serves no reflection in production unless told to", () => {
    const read = (more: Record<string, string>) =>
      serviceConfigOf(readEnvironment(serviceEnvironment, { ...complete, ...more })).reflection;
    assert.equal(read({ NODE_ENV: "development" }), true);
    assert.equal(read({ NODE_ENV: "production" }), false);
    assert.equal(read({ NODE_ENV: "production", REFLECTION: "true" }), true);
  });

  it("treats an empty variable as not set", () => {
    const values = readEnvironment(serviceEnvironment, { ...complete, PORT: "", REFLECTION: "" });
    assert.equal(values.PORT, 8080);
    assert.throws(() => readEnvironment(serviceEnvironment, { ...complete, AMQP_URL: "" }));
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
