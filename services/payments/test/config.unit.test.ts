import assert from "node:assert/strict";
import { readConfig } from "../src/config.ts";

describe("the configuration of payments", () => {
  const complete = {
    DATABASE_URL: "postgres://payments:secret@127.0.0.1:5433/payments",
    AMQP_URL: "amqp://payments:secret@127.0.0.1:5672/settle",
    AUTH_ISSUER: "http://127.0.0.1:8003",
    AUTH_AUDIENCE: "settle",
    AUTH_JWKS_URL: "http://127.0.0.1:8003/jwks.json",
  };
  const selfDeposit = (variables: Readonly<Record<string, string | undefined>>) =>
    readConfig({ ...complete, ...variables }).selfDeposit;

  it("lets users deposit for themselves, but not in production", () => {
    for (const SELF_DEPOSIT of [undefined, ""]) {
      assert.equal(selfDeposit({ SELF_DEPOSIT }), true);
      assert.equal(selfDeposit({ SELF_DEPOSIT, NODE_ENV: "development" }), true);
      assert.equal(selfDeposit({ SELF_DEPOSIT, NODE_ENV: "production" }), false);
    }
    assert.equal(selfDeposit({}), true);
  });

  it("follows SELF_DEPOSIT in any environment", () => {
    for (const NODE_ENV of ["", "development", "production"]) {
      assert.equal(selfDeposit({ SELF_DEPOSIT: "true", NODE_ENV }), true);
      assert.equal(selfDeposit({ SELF_DEPOSIT: "false", NODE_ENV }), false);
    }
  });

  it("takes a currency for accounts created without one, USD by default", () => {
    assert.equal(readConfig(complete).defaultCurrency, "USD");
    assert.equal(readConfig({ ...complete, DEFAULT_CURRENCY: "EUR" }).defaultCurrency, "EUR");
  });

  it("refuses a currency in which no account can be opened", () => {
    for (const DEFAULT_CURRENCY of ["ZZZ", "BGN", "XAU"]) {
      assert.throws(
        () => readConfig({ ...complete, DEFAULT_CURRENCY }),
        /DEFAULT_CURRENCY: must be an active code of ISO 4217 that has minor units/,
      );
    }
  });

  it("reports every fault by its variable", () => {
    const faulty = { ...complete, SELF_DEPOSIT: "perhaps", DEFAULT_CURRENCY: "euro" };
    assert.throws(() => readConfig(faulty), /DEFAULT_CURRENCY/);
    assert.throws(() => readConfig(faulty), /SELF_DEPOSIT/);
  });
});
