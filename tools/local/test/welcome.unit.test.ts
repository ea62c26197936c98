import assert from "node:assert/strict";
import { readLocalConfig } from "../config.ts";
import { welcome } from "../welcome.ts";

describe("the welcome of npm start", () => {
  const welcomeTo = (env: NodeJS.ProcessEnv) => welcome(readLocalConfig("/root", [], env));
  const signIn = (text: string) => /^ {2}auth="authorization: Bearer (.*)"$/m.exec(text)?.[1];

  it("signs in with a token of the development issuer, in every command", () => {
    const text = welcomeTo({});
    assert.match(text, /Tokens +http:\/\/localhost:8003, the development issuer\n/);
    assert.equal(signIn(text), "$(npm run --silent token -- alice)");
    const commands = text.split("\n").filter((line) => line.startsWith("  curl"));
    assert.equal(commands.length, 5);
    for (const command of commands) assert.match(command, / -H "\$auth" http/);
  });

  it("names a port that another terminal does not know", () => {
    const text = welcomeTo({ AUTH_PORT: "18003" });
    assert.equal(signIn(text), "$(AUTH_PORT=18003 npm run --silent token -- alice)");
  });

  it("leaves the token to the reader where the issuer is somebody else's", () => {
    const text = welcomeTo({
      AUTH_ISSUER: "https://issuer",
      AUTH_AUDIENCE: "shop",
      AUTH_JWKS_URL: "https://issuer/keys",
    });
    assert.match(text, /Tokens +yours, from https:\/\/issuer\n/);
    assert.equal(signIn(text), "<a token of alice>");
  });
});
