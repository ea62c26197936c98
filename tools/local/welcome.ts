import { join, relative } from "node:path";
import { serviceNames } from "../../services/services.ts";
import { type LocalConfig, localPorts } from "./config.ts";

/** What the reader can do now: the addresses, and the first order as commands to copy. */
export function welcome({ ports, dataDir, broker, issuer, page }: LocalConfig): string {
  const inDataDir = (file: string) => relative(".", join(dataDir, file));
  const edge = `http://localhost:${ports.edge}`;
  const get = (path: string) => `  curl -sw '\\n' -H "$auth" ${edge}${path}`;
  const post = (path: string, body: unknown) => `${get(path)} -d '${JSON.stringify(body)}'`;
  const rabbitmq = broker
    ? "yours, the virtual host settle"
    : `localhost:${ports.amqp}, http://localhost:${ports.management} (admin, ${inDataDir("rabbitmq/admin-password")})`;
  const pageUrl = page
    ? `http://localhost:${ports.page}`
    : "not served: set OIDC_AUTHORITY and OIDC_CLIENT_ID for people to sign in";
  return `
Settle is ready.

  The page                               ${pageUrl}
  Edge (REST, gRPC, gRPC-Web, Connect)   ${edge}
  ${serviceNames.join(", ").padEnd(37)}  ${serviceNames.map((name) => `http://localhost:${ports[name]}`).join(", ")}
  Tokens                                 ${issuer ? `yours, from ${issuer.issuer}` : `http://localhost:${ports.auth}, the development issuer`}
  PostgreSQL                             localhost:${ports.postgres}
  RabbitMQ                               ${rabbitmq}
  Logs                                   ${inDataDir("logs")}/

Sign in, open an account, top it up, order, and see it paid:

  auth="authorization: Bearer ${issuer ? "<a token of alice>" : tokenCommand(ports.auth)}"
${post("/gateway/payments/accounts", { userId: "alice", currency: "USD" })}
${post("/gateway/payments/accounts/alice:deposit", { amount: { minorUnits: "10000", currency: "USD" } })}
${post("/gateway/orders", { userId: "alice", amount: { minorUnits: "2500", currency: "USD" }, description: "Coffee" })}
${get("/gateway/orders/alice")}
${get("/gateway/payments/accounts/alice")}

Ctrl-C stops everything and keeps the data; npm start -- --fresh begins anew.
`;
}

/** In another terminal the port is not known unless the command names it. */
function tokenCommand(port: number): string {
  const { variable, fallback } = localPorts.auth;
  const elsewhere = port === fallback ? "" : `${variable}=${port} `;
  return `$(${elsewhere}npm run --silent token -- alice)`;
}
