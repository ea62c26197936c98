import { join, relative } from "node:path";
import { serviceNames } from "../../services/services.ts";
import type { LocalConfig } from "./config.ts";
import { localPorts } from "./local-ports.ts";

/**
 * The message after the start: the addresses, and commands to place a first order. Its user is not the
 * user of the tour in README.md, so that a reader can do both.
 */
export function welcome({ ports, dataDir, broker, issuer, page, observe }: LocalConfig): string {
  const inDataDir = (file: string) => relative(".", join(dataDir, file));
  const edge = `http://localhost:${ports.edge}`;
  const get = (path: string) => `  curl -sw '\\n' -H "$auth" ${edge}${path}`;
  const post = (path: string, body: unknown) => `${get(path)} -d '${JSON.stringify(body)}'`;
  const rabbitmq = broker
    ? "your broker, virtual host settle"
    : `localhost:${ports.amqp}, http://localhost:${ports.management} (admin, ${inDataDir("rabbitmq/admin-password")})`;
  const pageUrl = page
    ? `http://localhost:${ports.page}`
    : "not served: set OIDC_AUTHORITY and OIDC_CLIENT_ID to enable sign-in";
  return `
Settle is ready.

  The page                               ${pageUrl}
  Edge (REST, gRPC, gRPC-Web, Connect)   ${edge}
  API, to read and try out               ${edge}/swagger/docs
  ${serviceNames.join(", ").padEnd(37)}  ${serviceNames.map((name) => `http://localhost:${ports[name]}`).join(", ")}
  Tokens                                 ${issuer ? `from your issuer, ${issuer.issuer}` : `http://localhost:${ports.auth}, the development issuer`}
  PostgreSQL                             localhost:${ports.postgres} (roles ${serviceNames.join(", ")}; passwords in ${inDataDir("passwords")}/)
  RabbitMQ                               ${rabbitmq}
  Logs                                   ${inDataDir("logs")}/${observe ? `\n  Prometheus                             http://localhost:${ports.prometheus}` : ""}

Create an account, deposit money, place an order, and see that it is paid:

  auth="authorization: Bearer ${issuer ? "<a token of erin>" : tokenCommand(ports.auth)}"
${post("/gateway/payments/accounts", { userId: "erin", currency: "USD" })}
${post("/gateway/payments/accounts/erin:deposit", { amount: { minorUnits: "10000", currency: "USD" } })}
${post("/gateway/orders", { userId: "erin", amount: { minorUnits: "2500", currency: "USD" }, description: "Coffee" })}
${get("/gateway/orders/erin")}
${get("/gateway/payments/accounts/erin")}

Ctrl-C stops everything and keeps the data. npm start -- --fresh deletes the data first.
`;
}

/** Another terminal does not know the port unless it is in the command. */
function tokenCommand(port: number): string {
  const { variable, fallback } = localPorts.auth;
  const elsewhere = port === fallback ? "" : `${variable}=${port} `;
  return `$(${elsewhere}npm run --silent token -- erin)`;
}
