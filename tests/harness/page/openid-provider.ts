import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { startHttpServer } from "@settle/chassis/rpc/http-server";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";
import type { TokenIssuer } from "../../../tools/local/config.ts";

const algorithm = "ES256";
const audience = "settle";
const lifetimeS = 3_600;
/** The only API; its tokens have the audience {@link audience}. */
const api = "urn:settle:api";

/** An OpenID provider that signs in any name, for one page. */
export type OpenIdProvider = AsyncDisposable & {
  readonly auth: TokenIssuer;
  /** The client id of the page. */
  readonly clientId: string;
};

/**
 * Starts a certified OpenID provider in this process, at `port`: authorization code with PKCE, no
 * client secret, and access tokens that are JWTs for the audience `settle`. Its pages have a
 * field "Name at the provider" with a button "Go on", and a button "Sign out of the provider".
 */
export async function startOpenIdProvider(options: {
  readonly port: number;
  /** The page's origin, for redirects and for CORS. */
  readonly pageOrigin: string;
}): Promise<OpenIdProvider> {
  const { port, pageOrigin } = options;
  const issuer = `http://127.0.0.1:${port}`;
  const clientId = "settle-page";
  const provider = new Provider(issuer, await configurationFor({ clientId, pageOrigin }));
  const handle = provider.callback();
  const server = await startHttpServer({
    host: "127.0.0.1",
    port,
    answer(request, response) {
      const isInteraction = request.url?.startsWith("/interaction/");
      void (isInteraction ? signIn(provider, request, response) : handle(request, response));
    },
  });
  return {
    auth: { issuer, audience, jwksUrl: `${issuer}/jwks` },
    clientId,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The sign-in page of the provider, which accepts any name. */
async function signIn(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === "POST") {
    const name = new URLSearchParams(await text(request)).get("name") ?? "";
    await provider.interactionFinished(request, response, { login: { accountId: name } });
    return;
  }
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(`<!doctype html><html lang="en"><title>Provider</title><form method="post">
<label>Name at the provider <input name="name"></label><button>Go on</button></form></html>`);
  await once(response, "close");
}

async function configurationFor(page: { readonly clientId: string; readonly pageOrigin: string }) {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: algorithm, use: "sig" };
  const configuration: ConstructorParameters<typeof Provider>[1] = {
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    clients: [
      {
        client_id: page.clientId,
        token_endpoint_auth_method: "none",
        id_token_signed_response_alg: algorithm,
        grant_types: ["authorization_code"],
        response_types: ["code"],
        redirect_uris: [`${page.pageOrigin}/signed-in`],
        post_logout_redirect_uris: [`${page.pageOrigin}/`],
      },
    ],
    clientBasedCORS: (_, origin) => origin === page.pageOrigin,
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    ttl: {
      AccessToken: lifetimeS,
      Grant: lifetimeS,
      IdToken: lifetimeS,
      Interaction: lifetimeS,
      Session: lifetimeS,
    },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    // No consent page, because the client is our own.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        clientId: page.clientId,
        accountId: oidc.session?.accountId ?? "",
      });
      grant.addOIDCScope("openid");
      grant.addResourceScope(api, "openid");
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      // The default pages load fonts from another host.
      rpInitiatedLogout: {
        logoutSource(context, form) {
          context.body = `<!doctype html><html lang="en"><title>Provider</title>${form}
<button form="op.logoutForm" name="logout" value="yes">Sign out of the provider</button></html>`;
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => api,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          audience,
          scope: "openid",
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
  };
  return configuration;
}
