import { join, relative } from "node:path";
import type { LocalConfig } from "./config.ts";

/** What the reader can do now: the addresses, and the first order as commands to copy. */
export function welcome({ ports, dataDir, broker }: LocalConfig): string {
  const inDataDir = (file: string) => relative(".", join(dataDir, file));
  const edge = `http://localhost:${ports.edge}`;
  const post = (path: string, body: unknown) =>
    `  curl -sw '\\n' ${edge}${path} -d '${JSON.stringify(body)}'`;
  const rabbitmq = broker
    ? "yours, the virtual host settle"
    : `localhost:${ports.amqp}, http://localhost:${ports.management} (admin, ${inDataDir("rabbitmq/admin-password")})`;
  return `
Settle is ready.

  Edge (REST, gRPC, gRPC-Web, Connect)   ${edge}
  orders, payments                       http://localhost:${ports.orders}, http://localhost:${ports.payments}
  PostgreSQL                             localhost:${ports.postgres}
  RabbitMQ                               ${rabbitmq}
  Logs                                   ${inDataDir("logs")}/

Open an account, top it up, order, and see it paid:

${post("/gateway/payments/accounts", { userId: "alice", currency: "USD" })}
${post("/gateway/payments/accounts/alice:deposit", { amount: { minorUnits: "10000", currency: "USD" } })}
${post("/gateway/orders", { userId: "alice", amount: { minorUnits: "2500", currency: "USD" }, description: "Coffee" })}
  curl -sw '\\n' ${edge}/gateway/orders/alice
  curl -sw '\\n' ${edge}/gateway/payments/accounts/alice

Ctrl-C stops everything and keeps the data; npm start -- --fresh begins anew.
`;
}
