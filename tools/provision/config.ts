import { readEnvironment } from "@settle/chassis/config";
import { z } from "zod";
import { perService, serviceNames, variableOf } from "../../services/services.ts";
import type { ServicePasswords } from "./provision.ts";

/** Which servers to provision, as their administrator, and what the services will sign in with. */
export type ProvisionConfig = {
  readonly postgresUrl: string;
  readonly managementUrl: string;
  readonly databasePasswords: ServicePasswords;
  readonly brokerPasswords: ServicePasswords;
};

const servers = z.object({
  POSTGRES_ADMIN_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe("PostgreSQL, with a superuser's name and password and any database."),
  RABBITMQ_MANAGEMENT_URL: z
    .url({ protocol: /^https?$/ })
    .describe("RabbitMQ's management API, with an administrator's name and password."),
});

/** The password of a role or a user, described by `whose`. */
const passwordOf = (whose: string) => z.string().min(1).describe(`The password of ${whose}.`);

const passwords = serviceNames.flatMap((name) => [
  [variableOf(name, "DB_PASSWORD"), passwordOf(`the role of ${name} in PostgreSQL`)],
  [variableOf(name, "AMQP_PASSWORD"), passwordOf(`the user of ${name} in RabbitMQ`)],
]);

/** The environment variables of provisioning. */
export const environment = servers.extend(Object.fromEntries(passwords));

/** Reads what to provision; throws one error that lists every fault. */
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
  };
}
