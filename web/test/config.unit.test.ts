import assert from "node:assert/strict";
import { pageConfigOf, readWebConfig } from "../server/config.ts";

describe("the configuration of the page's server", () => {
  it("defaults to development", () => {
    const { folder, ...config } = readWebConfig({});
    assert.match(folder, /\/web\/dist$/);
    assert.deepEqual(config, {
      host: "127.0.0.1",
      port: 5173,
      edgeUrl: "http://localhost:8000",
      signIn: { kind: "development", issuerUrl: "http://localhost:8003" },
      callableOrigins: ["http://localhost:8000", "http://localhost:8003"],
      development: true,
      metrics: { host: "127.0.0.1", port: undefined },
      logLevel: "info",
    });
  });

  it("uses an OpenID provider if one is set, in development too", () => {
    const provider = { OIDC_AUTHORITY: "https://id.example/shop", OIDC_CLIENT_ID: "page" };
    const signIn = {
      kind: "oidc",
      authority: "https://id.example/shop",
      clientId: "page",
      scope: "openid",
      userClaim: "sub",
    };
    assert.deepEqual(pageConfigOf(readWebConfig({ ...provider, NODE_ENV: "production" })), {
      edgeUrl: "http://localhost:8000",
      signIn,
      development: false,
    });
    assert.deepEqual(
      readWebConfig({ ...provider, OIDC_SCOPE: "openid orders", AUTH_USER_CLAIM: "email" }).signIn,
      { ...signIn, scope: "openid orders", userClaim: "email" },
    );
    assert.equal(readWebConfig(provider).development, true);
  });

  it("passes no server setting to browsers", () => {
    assert.deepEqual(Object.keys(pageConfigOf(readWebConfig({}))), [
      "edgeUrl",
      "signIn",
      "development",
    ]);
  });

  it("rejects sign-in by name in production", () => {
    assert.throws(
      () => readWebConfig({ NODE_ENV: "production", DEV_ISSUER_URL: "http://localhost:8003" }),
      /OIDC_AUTHORITY: is required for sign-in\n.*OIDC_CLIENT_ID: is required/,
    );
    assert.throws(
      () => readWebConfig({ OIDC_AUTHORITY: "https://id.example" }),
      /OIDC_CLIENT_ID: is required/,
    );
  });

  it("reports every fault at once", () => {
    const faulty = {
      PORT: "http",
      EDGE_URL: "http://localhost:8000/",
      DEV_ISSUER_URL: "http://localhost:8003; script-src *",
      OIDC_AUTHORITY: "ftp://id.example",
      OIDC_CLIENT_ID: "page",
      OIDC_ORIGINS: "https://token.example; script-src *",
    };
    assert.throws(
      () => readWebConfig(faulty),
      (error: Error) => {
        for (const name of [
          "PORT",
          "EDGE_URL",
          "DEV_ISSUER_URL",
          "OIDC_AUTHORITY",
          "OIDC_ORIGINS",
        ]) {
          assert.match(error.message, new RegExp(`^  ${name}: `, "m"));
        }
        return true;
      },
    );
  });
});
