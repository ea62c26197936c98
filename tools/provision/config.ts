import { readEnvironment } from "@settle/chassis/config";
import { z } from "zod";
import type { ServicePasswords } from "./provision.ts";

/** Which servers to provision, as their administrator, and what the services will sign in with. */
export type ProvisionConfig = {
  readonly postgresUrl: string;
  readonly managementUrl: string;
  readonly databasePasswords: ServicePasswords;
  readonly brokerPasswords: ServicePasswords;
};

/** The environment variables of provisioning. */
export const environment = z.object({
  POSTGRES_ADMIN_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe("PostgreSQL, with a superuser's name and password and any database."),
  RABBITMQ_MANAGEMENT_URL: z
    .url({ protocol: /^https?$/ })
    .describe("RabbitMQ's management API, with an administrator's name and password."),
  ORDERS_DB_PASSWORD: z.string().min(1).describe("The password of orders' role in PostgreSQL."),
  ORDERS_AMQP_PASSWORD: z.string().min(1).describe("The password of orders' user in RabbitMQ."),
  PAYMENTS_DB_PASSWORD: z.string().min(1).describe("The password of payments' role in PostgreSQL."),
  PAYMENTS_AMQP_PASSWORD: z.string().min(1).describe("The password of payments' user in RabbitMQ."),
});

/** Reads what to provision; throws one error that lists every fault. */
export function readProvisionConfig(
  variables: Readonly<Record<string, string | undefined>>,
): ProvisionConfig {
  const values = readEnvironment(environment, variables);
  return {
    postgresUrl: values.POSTGRES_ADMIN_URL,
    managementUrl: values.RABBITMQ_MANAGEMENT_URL,
    databasePasswords: {
      orders: values.ORDERS_DB_PASSWORD,
      payments: values.PAYMENTS_DB_PASSWORD,
    },
    brokerPasswords: {
      orders: values.ORDERS_AMQP_PASSWORD,
      payments: values.PAYMENTS_AMQP_PASSWORD,
    },
  };
}
