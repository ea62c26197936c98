import assert from "node:assert/strict";
import { readLocalConfig } from "../config.ts";

describe("the configuration of npm start", () => {
  it("has the ports everybody knows", () => {
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

  it("takes flags, ports and a broker of somebody else", () => {
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

  it("takes an issuer of somebody else, all of it or nothing", () => {
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
      /together or not at all; missing: AUTH_AUDIENCE, AUTH_JWKS_URL$/,
    );
  });

  it("serves the page where people can sign in: to the stack's own issuer, or by OpenID", () => {
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
      assert.throws(() => read(env), /need each other and AUTH_ISSUER beside them/);
    }
  });

  it("passes settings of the services on where they are set", () => {
    const env = {
      SELF_DEPOSIT: "false",
      EXPIRE_AFTER_MS: "",
      AUTH_USER_CLAIM: "email",
      OTHER: "x",
    };
    assert.deepEqual(readLocalConfig("/root", [], env).serviceEnv, {
      SELF_DEPOSIT: "false",
      AUTH_USER_CLAIM: "email",
    });
  });

  it("names every fault at once", () => {
    const env = { EDGE_PORT: "http", ORDERS_PORT: "70000", AMQP_URL: "amqp://broker" };
    assert.throws(
      () => readLocalConfig("/root", [], env),
      /EDGE_PORT is no port: http\n.*ORDERS_PORT is no port: 70000\n.*RABBITMQ_MANAGEMENT_URL/,
    );
    assert.throws(
      () => readLocalConfig("/root", [], { EDGE_PORT: "8001" }),
      /8001 is chosen twice/,
    );
    assert.throws(() => readLocalConfig("/root", ["--frehs"], {}), /--frehs/);
  });
});
