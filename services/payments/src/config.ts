import {
  isProduction,
  readEnvironment,
  type ServiceConfig,
  serviceConfigOf,
  serviceEnvironment,
} from "@settle/chassis/config";
import { z } from "zod";
import { canOpen, openingRule } from "./currency-rules.ts";

export type PaymentsConfig = ServiceConfig & {
  /** The currency of an account that was created without one. */
  readonly defaultCurrency: string;
  /** Whether users may deposit into their own accounts; by default not in production. */
  readonly selfDeposit: boolean;
};

/** The environment variables of payments. */
export const environment = serviceEnvironment.extend({
  DEFAULT_CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/, "must be an ISO 4217 code such as USD")
    .refine(canOpen, openingRule)
    .default("USD")
    .describe(
      "The currency of an account that is created without one: an active code of ISO 4217 that has minor units.",
    ),
  SELF_DEPOSIT: z.stringbool().optional().meta({
    description: "Whether users may deposit into their own accounts without the scope `deposit`.",
    otherwise: "`true`, in production `false`",
  }),
});

/** Reads the configuration of payments; throws one error that lists every fault. */
export function readConfig(
  variables: Readonly<Record<string, string | undefined>>,
): PaymentsConfig {
  const values = readEnvironment(environment, variables);
  return {
    ...serviceConfigOf(values),
    defaultCurrency: values.DEFAULT_CURRENCY,
    selfDeposit: values.SELF_DEPOSIT ?? !isProduction(values),
  };
}
