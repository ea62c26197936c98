import {
  countVariable,
  readEnvironment,
  type ServiceConfig,
  serviceConfigOf,
  serviceEnvironment,
} from "@settle/chassis/config";
import { z } from "zod";
import { defaultOrderLimits, type OrderLimits } from "./order-limits.ts";

export type OrdersConfig = ServiceConfig & {
  /** How long an order waits for its payment before it is announced again. */
  readonly repairAfterMs: number;
  /** How long an order may stay unpaid if its request does not say; undefined for no limit. */
  readonly expireAfterMs: number | undefined;
  readonly limits: OrderLimits;
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
  USER_PENDING_ORDERS: countVariable
    .default(defaultOrderLimits.pendingPerUser)
    .describe(
      "About how many orders of a user may wait for their payment. Further ones are refused with `QUOTA_EXCEEDED`.",
    ),
  USER_WATCHES: countVariable
    .default(defaultOrderLimits.watchesPerUser)
    .describe(
      "How many watches a user may have open on an instance. Further ones are refused with `TOO_MANY_STREAMS`.",
    ),
  USER_WAITS: countVariable
    .default(defaultOrderLimits.waitsPerUser)
    .describe(
      "How many calls of a user may wait for their result on an instance. Further ones are answered at once, as without `Prefer: wait`.",
    ),
  MAX_WATCHES: countVariable
    .default(defaultOrderLimits.watches)
    .describe(
      "How many watches an instance serves in all. Further ones are refused with `TOO_MANY_STREAMS`.",
    ),
});

/** Reads the configuration of orders; throws one error that lists every fault. */
export function readConfig(variables: Readonly<Record<string, string | undefined>>): OrdersConfig {
  const values = readEnvironment(environment, variables);
  return {
    ...serviceConfigOf(values),
    repairAfterMs: values.REPAIR_AFTER_MS,
    expireAfterMs: values.EXPIRE_AFTER_MS,
    limits: {
      pendingPerUser: values.USER_PENDING_ORDERS,
      watches: values.MAX_WATCHES,
      watchesPerUser: values.USER_WATCHES,
      waitsPerUser: values.USER_WAITS,
    },
  };
}
