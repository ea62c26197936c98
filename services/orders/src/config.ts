import {
  readEnvironment,
  type ServiceConfig,
  serviceConfigOf,
  serviceEnvironment,
} from "@settle/chassis/config";

export type OrdersConfig = ServiceConfig;

/** Reads the configuration of orders; throws one error that lists every fault. */
export function readConfig(variables: Readonly<Record<string, string | undefined>>): OrdersConfig {
  return serviceConfigOf(readEnvironment(serviceEnvironment, variables));
}
