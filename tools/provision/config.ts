import { processEnvironment, readEnvironment } from "@settle/chassis/config";
import { metricsAddressOf, metricsEnvironment } from "@settle/chassis/metrics-config";
import type { MetricsAddress } from "@settle/chassis/rpc/metrics-server";
import { z } from "zod";
import { perService, serviceNames, variableOf } from "../../services/services.ts";
import type { ServicePasswords } from "./provision.ts";

/** The servers to provision, with administrator URLs, and the passwords of the services. */
export type ProvisionConfig = {
  readonly postgresUrl: string;
  readonly managementUrl: string;
  readonly databasePasswords: ServicePasswords;
  readonly brokerPasswords: ServicePasswords;
  /** The password of the provisioner in RabbitMQ; undefined for no such user. */
  readonly provisionerPassword: string | undefined;
};

/** What `--watch` does, and where. */
export type WatchConfig = {
  /** URL of the management API, with the name and password of the provisioner. */
  readonly managementUrl: string;
  readonly intervalMs: number;
  readonly metrics: MetricsAddress;
  readonly logLevel: string;
};

const servers = z.object({
  POSTGRES_ADMIN_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe("URL of PostgreSQL with the name and password of a superuser, and any database."),
  RABBITMQ_MANAGEMENT_URL: z
    .url({ protocol: /^https?$/ })
    .describe("URL of RabbitMQ's management API with the name and password of an administrator."),
  PROVISIONER_PASSWORD: z.string().min(1).optional().meta({
    description: "The password of the user `provisioner` in RabbitMQ, for `--watch`.",
    otherwise: "no such user",
  }),
});

/** The environment variables of `--watch`. */
export const watchEnvironment = z.object({
  ...metricsEnvironment.shape,
  RABBITMQ_MANAGEMENT_URL: z
    .url({ protocol: /^https?$/ })
    .describe("URL of RabbitMQ's management API with the name and password of `provisioner`."),
  PROVISION_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(3_600_000)
    .default(30_000)
    .describe("How often it looks for queues, exchanges, bindings and policies that are missing."),
  LOG_LEVEL: processEnvironment.shape.LOG_LEVEL,
});

/** The variable for a password; `whose` describes its role or user. */
const passwordOf = (whose: string) => z.string().min(1).describe(`The password of ${whose}.`);

const passwords = serviceNames.flatMap((name) => [
  [variableOf(name, "DB_PASSWORD"), passwordOf(`the role of ${name} in PostgreSQL`)],
  [variableOf(name, "AMQP_PASSWORD"), passwordOf(`the user of ${name} in RabbitMQ`)],
]);

/** The environment variables of provisioning. */
export const environment = servers.extend(Object.fromEntries(passwords));

/** Reads the configuration; throws one error that lists all faults. */
export function readProvisionConfig(
  variables: Readonly<Record<string, string | undefined>>,
): ProvisionConfig {
  const values = readEnvironment(environment, variables) as z.output<typeof servers> &
    Readonly<Record<string, string>>;
  const passwordsOf = (what: "DB_PASSWORD" | "AMQP_PASSWORD") =>
    perService((name) => values[variableOf(name, what)] ?? "");
  return {
    postgresUrl: values.POSTGRES_ADMIN_URL,
    managementUrl: values.RABBITMQ_MANAGEMENT_URL,
    databasePasswords: passwordsOf("DB_PASSWORD"),
    brokerPasswords: passwordsOf("AMQP_PASSWORD"),
    provisionerPassword: values.PROVISIONER_PASSWORD,
  };
}

/** Reads the configuration of `--watch`; throws one error that lists all faults. */
export function readWatchConfig(
  variables: Readonly<Record<string, string | undefined>>,
): WatchConfig {
  const values = readEnvironment(watchEnvironment, variables);
  return {
    managementUrl: values.RABBITMQ_MANAGEMENT_URL,
    intervalMs: values.PROVISION_INTERVAL_MS,
    metrics: metricsAddressOf(values),
    logLevel: values.LOG_LEVEL,
  };
}
