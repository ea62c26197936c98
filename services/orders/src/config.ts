import {
  readEnvironment,
  type ServiceConfig,
  serviceConfigOf,
  serviceEnvironment,
} from "@settle/chassis/config";
import { z } from "zod";

export type OrdersConfig = ServiceConfig & {
  /** How long an order waits for its payment before it is announced again. */
  readonly repairAfterMs: number;
  /** How long an order may stay unpaid if its request does not say; undefined for no limit. */
  readonly expireAfterMs: number | undefined;
};

/** The environment variables of orders. */
export const environment = serviceEnvironment.extend({
  REPAIR_AFTER_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(600_000)
    .describe("How long an order waits for its payment before it is announced again."),
  EXPIRE_AFTER_MS: z.coerce.number().int().min(1_000).max(2_592_000_000).optional().meta({
    description:
      "How long an order waits for its payment before it is cancelled, if `expireAfter` was not set when it was created.",
    otherwise: "without limit",
  }),
});

/** Reads the configuration of orders; throws one error that lists every fault. */
export function readConfig(variables: Readonly<Record<string, string | undefined>>): OrdersConfig {
  const values = readEnvironment(environment, variables);
  return {
    ...serviceConfigOf(values),
    repairAfterMs: values.REPAIR_AFTER_MS,
    expireAfterMs: values.EXPIRE_AFTER_MS,
  };
}
