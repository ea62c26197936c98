import assert from "node:assert/strict";
import { readLocalConfig } from "../config.ts";
import { welcome } from "../welcome.ts";

describe("the welcome of npm start", () => {
  const welcomeTo = (env: NodeJS.ProcessEnv) => welcome(readLocalConfig("/root", [], env));
  const signIn = (text: string) => /^ {2}auth="authorization: Bearer (.*)"$/m.exec(text)?.[1];

  it("signs in with a token of the development issuer, in every command", () => {
    const text = welcomeTo({});
    assert.match(text, /Tokens +http:\/\/localhost:8003, the development issuer\n/);
    assert.equal(signIn(text), "$(npm run --silent token -- erin)");
    const commands = text.split("\n").filter((line) => line.startsWith("  curl"));
    assert.equal(commands.length, 5);
    for (const command of commands) assert.match(command, / -H "\$auth" http/);
  });

  it("includes ports that are not the defaults in the commands", () => {
    const text = welcomeTo({ AUTH_PORT: "18003" });
    assert.equal(signIn(text), "$(AUTH_PORT=18003 npm run --silent token -- erin)");
  });

  const own = {
    AUTH_ISSUER: "https://issuer",
    AUTH_AUDIENCE: "shop",
    AUTH_JWKS_URL: "https://issuer/keys",
  };

  it("has a placeholder for the token if the issuer is an existing one", () => {
    const text = welcomeTo(own);
    assert.match(text, /Tokens +from your issuer, https:\/\/issuer\n/);
    assert.equal(signIn(text), "<a token of erin>");
  });

  it("shows the page first, or why it is not served", () => {
    const pageIn = (text: string) => /ready\.\n\n {2}The page +(.*)\n/.exec(text)?.[1];
    assert.equal(pageIn(welcomeTo({ WEB_PORT: "15173" })), "http://localhost:15173");
    assert.match(
      pageIn(welcomeTo(own)) ?? "",
      /^not served: set OIDC_AUTHORITY and OIDC_CLIENT_ID/,
    );
    const oidc = { ...own, OIDC_AUTHORITY: "https://issuer", OIDC_CLIENT_ID: "page" };
    assert.equal(pageIn(welcomeTo(oidc)), "http://localhost:5173");
  });
});
