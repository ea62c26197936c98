import assert from "node:assert/strict";
import { readLocalConfig } from "../config.ts";

describe("the configuration of npm start", () => {
  it("has the documented default ports", () => {
    const { ports, dataDir, fresh, broker, issuer, serviceEnv } = readLocalConfig("/root", [], {});
    assert.partialDeepStrictEqual(ports, {
      page: 5173,
      edge: 8000,
      payments: 8001,
      orders: 8002,
      auth: 8003,
      postgres: 5433,
      amqp: 5672,
      management: 15672,
    });
    assert.equal(dataDir, "/root/.data");
    assert.equal(fresh, false);
    assert.equal(broker, undefined);
    assert.equal(issuer, undefined);
    assert.deepEqual(serviceEnv, {});
  });

  it("accepts flags, ports and an existing broker", () => {
    const config = readLocalConfig("/root", ["--fresh"], {
      EDGE_PORT: "9000",
      DATA_DIR: "/elsewhere",
      AMQP_URL: "amqp://root:x@broker",
      RABBITMQ_MANAGEMENT_URL: "http://root:x@broker:15672",
    });
    assert.equal(config.fresh, true);
    assert.equal(config.ports.edge, 9000);
    assert.equal(config.dataDir, "/elsewhere");
    assert.equal(config.broker?.amqpUrl, "amqp://root:x@broker");
  });

  it("refuses an unknown option and refers to the help", () => {
    assert.throws(
      () => readLocalConfig("/root", ["--bogus"], {}),
      /Unknown option '--bogus'.*\nSee npm start -- --help$/s,
    );
  });

  it("reads --fresh also where npm has taken it for a setting of its own", () => {
    const freshOf = (args: readonly string[], env: NodeJS.ProcessEnv) =>
      readLocalConfig("/root", args, env).fresh;
    assert.equal(freshOf([], { npm_config_fresh: "true" }), true);
    assert.equal(freshOf([], { npm_config_fresh: "" }), false);
    assert.equal(freshOf(["--fresh"], {}), true);
  });

  it("accepts an existing issuer if all of its variables are set", () => {
    const env = {
      AUTH_ISSUER: "https://issuer",
      AUTH_AUDIENCE: "shop",
      AUTH_JWKS_URL: "https://issuer/keys",
    };
    assert.deepEqual(readLocalConfig("/root", [], env).issuer, {
      issuer: "https://issuer",
      audience: "shop",
      jwksUrl: "https://issuer/keys",
    });
    assert.throws(
      () => readLocalConfig("/root", [], { ...env, AUTH_AUDIENCE: "", AUTH_JWKS_URL: "" }),
      /together, or none of them; missing: AUTH_AUDIENCE, AUTH_JWKS_URL$/,
    );
  });

  it("serves the page if users can sign in, with the development issuer or OpenID", () => {
    const auth = {
      AUTH_ISSUER: "https://issuer",
      AUTH_AUDIENCE: "shop",
      AUTH_JWKS_URL: "https://issuer/keys",
    };
    const oidc = { OIDC_AUTHORITY: "https://issuer", OIDC_CLIENT_ID: "page" };
    const read = (env: NodeJS.ProcessEnv) => readLocalConfig("/root", [], env);
    assert.equal(read({ OIDC_SCOPE: "openid" }).page, true);
    assert.equal(read(auth).page, false);
    const both = read({ ...auth, ...oidc, AUTH_USER_CLAIM: "email", OIDC_SCOPE: "" });
    assert.equal(both.page, true);
    assert.deepEqual(both.oidc, { ...oidc, AUTH_USER_CLAIM: "email" });
    for (const env of [oidc, { ...auth, OIDC_CLIENT_ID: "page" }]) {
      assert.throws(
        () => read(env),
        /set OIDC_AUTHORITY and OIDC_CLIENT_ID together, and with AUTH_ISSUER/,
      );
    }
  });

  it("passes variables of the services on if they are set", () => {
    const env = {
      SELF_DEPOSIT: "false",
      EXPIRE_AFTER_MS: "",
      AUTH_USER_CLAIM: "email",
      AUTH_SCOPE_CLAIM: "scp",
      OTHER: "x",
    };
    assert.deepEqual(readLocalConfig("/root", [], env).serviceEnv, {
      SELF_DEPOSIT: "false",
      AUTH_USER_CLAIM: "email",
      AUTH_SCOPE_CLAIM: "scp",
    });
  });

  it("lists all faults at once", () => {
    const env = { EDGE_PORT: "http", ORDERS_PORT: "70000", AMQP_URL: "amqp://broker" };
    assert.throws(
      () => readLocalConfig("/root", [], env),
      /EDGE_PORT is not a port: http\n.*ORDERS_PORT is not a port: 70000\n.*RABBITMQ_MANAGEMENT_URL/,
    );
    assert.throws(() => readLocalConfig("/root", [], { EDGE_PORT: "8001" }), /8001 is set twice/);
    assert.throws(() => readLocalConfig("/root", ["--frehs"], {}), /--frehs/);
  });
});
