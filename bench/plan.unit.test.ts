import assert from "node:assert/strict";
import { readConfig } from "@settle/orders/config";
import { readArguments, usage } from "./plan.ts";

const required = {
  DATABASE_URL: "postgres://127.0.0.1/orders",
  AMQP_URL: "amqp://127.0.0.1/settle",
  AUTH_ISSUER: "issuer",
  AUTH_AUDIENCE: "settle",
  AUTH_JWKS_URL: "http://127.0.0.1/keys",
};
const defaults = readConfig(required);

describe("the bench's arguments", () => {
  it("choose between the quick plan and the full one", () => {
    const quick = readArguments(["--quick"]).plan;
    const full = readArguments([]).plan;
    assert.equal(quick.rounds, 3);
    assert.equal(full.rounds, 5);
    assert.equal(full.systemS, 60);
    assert.equal(quick.accounts, full.accounts);
  });

  it("name the folder of the profiles and ask for help", () => {
    assert.equal(readArguments(["--profile", "/tmp/x"]).profileFolder, "/tmp/x");
    assert.equal(readArguments([]).profileFolder, undefined);
    assert.equal(readArguments(["-h"]).help, true);
    assert.match(usage, /--quick/);
  });

  it("raise the quotas of users only for a load on few accounts", () => {
    assert.deepEqual(readArguments(["--quick"]).serviceEnv, {});
    const hot = readArguments(["--quick", "--accounts", "1"]);
    assert.equal(hot.plan.accounts, 1);
    const values = readConfig({ ...hot.serviceEnv, ...required });
    assert.ok(values.writeQuota.perSecond > defaults.writeQuota.perSecond);
    assert.ok(values.writeQuota.perDay > defaults.writeQuota.perDay);
    assert.ok(values.limits.pendingPerUser > defaults.limits.pendingPerUser);
    assert.throws(() => readArguments(["--accounts", "0"]), /--accounts/);
  });

  it("are rejected if unknown", () => {
    assert.throws(() => readArguments(["--quik"]), /quik/);
    assert.throws(() => readArguments(["quick"]), /quick/);
  });
});
