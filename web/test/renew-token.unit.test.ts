import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { InMemoryWebStorage, User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { renewToken } from "../src/session/renew-token.ts";
import { SessionEndedError, UnreachableError } from "../src/session/session.ts";

describe("renewing a token", () => {
  /** Starts a provider whose token endpoint responds like this, with a user who was signed in. */
  async function setup(answer: (response: ServerResponse) => void) {
    const server = createServer((_, response) => answer(response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const manager = new UserManager({
      authority,
      client_id: "page",
      redirect_uri: `${authority}/signed-in`,
      metadata: { issuer: authority, token_endpoint: `${authority}/token` },
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      automaticSilentRenew: false,
    });
    const profile = { sub: "ada", iss: authority, aud: "page", iat: 0, exp: 1 };
    const user = { access_token: "old", token_type: "Bearer", refresh_token: "r", profile };
    await manager.storeUser(new User({ ...user, expires_at: 1 }));
    return {
      manager,
      [Symbol.asyncDispose]: async () => {
        // It would wait until the token expires.
        await manager.removeUser();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }
  const json = (status: number, body: unknown) => (response: ServerResponse) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };

  it("returns a new one", async () => {
    const tokens = { access_token: "new", token_type: "Bearer", expires_in: 60 };
    await using provider = await setup(json(200, tokens));
    assert.equal(await renewToken(provider.manager), "new");
  });

  it("ends the session if the provider rejects the refresh token", async () => {
    await using provider = await setup(json(400, { error: "invalid_grant" }));
    await assert.rejects(renewToken(provider.manager), SessionEndedError);
  });

  it("keeps it if the provider is unreachable or fails", async () => {
    await using cut = await setup((response) => response.destroy());
    await assert.rejects(renewToken(cut.manager), UnreachableError);
    const notOver = (error: unknown) => !(error instanceof SessionEndedError);
    await using broken = await setup((response) => response.writeHead(502).end());
    await assert.rejects(renewToken(broken.manager), notOver);
    await using busy = await setup(json(503, { error: "temporarily_unavailable" }));
    await assert.rejects(renewToken(busy.manager), notOver);
  });
});
