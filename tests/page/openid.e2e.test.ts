import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { findFreePorts } from "../../tools/local/ports.ts";
import { type OpenIdProvider, startOpenIdProvider } from "../harness/page/openid-provider.ts";
import { openBrowser, openStage, type Stage, someone } from "../harness/page/stage.ts";
import { readKept } from "../harness/page/storage.ts";

const startTimeoutMs = 120_000;

describe("the page, with an OpenID provider", function () {
  this.timeout(60_000);
  const stack = new AsyncDisposableStack();
  let stage: Stage;
  let provider: OpenIdProvider;

  before(async function () {
    this.timeout(startTimeoutMs);
    const [port = 0, providerPort = 0] = await findFreePorts(2);
    const pageOrigin = `http://127.0.0.1:${port}`;
    provider = stack.use(await startOpenIdProvider({ port: providerPort, pageOrigin }));
    const { auth, clientId } = provider;
    const oidc = { OIDC_AUTHORITY: auth.issuer, OIDC_CLIENT_ID: clientId, NODE_ENV: "production" };
    stage = await openStage(stack, { browser: await openBrowser(stack), port, auth, oidc });
  });
  after(() => stack.disposeAsync());

  async function nameAtProvider(page: Page, name: string): Promise<void> {
    await page.getByLabel("Name at the provider").fill(name);
    await page.getByRole("button", { name: "Go on" }).click();
  }

  it("signs in there and returns, stays signed in after a reload, and signs out there", async () => {
    await using visit = await stage.visit();
    const { person, context } = visit;
    const { page, m } = person;
    const name = someone();
    const answers: string[] = [];
    context.on("request", (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === "/auth" && searchParams.has("client_id")) {
        answers.push(
          searchParams.get("code_challenge_method") ?? "",
          searchParams.get("response_type") ?? "",
        );
      }
    });

    await page.goto("/statement");
    assert.equal(await person.field(m.signIn.name).count(), 0);
    await person.button(m.signIn.leave).click();
    await nameAtProvider(page, name);
    await page.getByTitle(m.page.signedInAs(name)).waitFor();
    assert.equal(new URL(page.url()).pathname, "/statement");
    assert.deepEqual(answers, ["S256", "code"]);
    assert.equal(await person.menu(m.page.load).count(), 0);

    await person.menu(m.page.orders).click();
    await person.openAccount("EUR");
    await person.order("on credit", "5");
    await person.sees("on credit", "declined");
    const kept = await readKept(page);
    assert.deepEqual(kept.localStorage, { "settle.user": name });
    assert.doesNotMatch(JSON.stringify(kept), /eyJ|access_token|id_token/);

    await page.reload();
    await page.getByTitle(m.page.signedInAs(name)).waitFor();
    await person.sees("on credit", "declined");

    await person.button(m.page.signOut).click();
    await page.getByRole("button", { name: "Sign out of the provider" }).click();
    await person.button(m.signIn.leave).waitFor();
    await page.reload();
    await person.button(m.signIn.leave).click();
    await page.getByLabel("Name at the provider").waitFor();
  });

  it("stays on the same view if the session at the provider has ended", async () => {
    await using visit = await stage.visit();
    const { person, context } = visit;
    const { page, m } = person;
    const name = someone();
    await page.goto("/statement");
    await person.button(m.signIn.leave).click();
    await nameAtProvider(page, name);
    await page.getByTitle(m.page.signedInAs(name)).waitFor();
    await context.clearCookies();
    await page.reload();
    await person.button(m.signIn.leave).waitFor();
    assert.equal(new URL(page.url()).pathname, "/statement");
  });

  it("reports a failed sign-in if the provider returns an error", async () => {
    await using visit = await stage.visit();
    const { person } = visit;
    await person.page.goto("/signed-in?error=access_denied&state=unknown");
    await person.page.getByText(person.m.signIn.failed).waitFor();
    assert.equal(new URL(person.page.url()).search, "");
  });
});
