import { z } from "zod";
import type { MetricsAddress } from "./rpc/metrics-server.ts";

/** The environment variables of every program that serves metrics. */
export const metricsEnvironment = z.object({
  METRICS_HOST: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("The address to serve metrics on. They are for operators: never a public one."),
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).optional().meta({
    description: "The port to serve metrics on, at `/metrics`; 0 takes any free one.",
    otherwise: "no metrics",
  }),
});

/** Where the program serves its metrics. */
export function metricsAddressOf(values: z.output<typeof metricsEnvironment>): MetricsAddress {
  return { host: values.METRICS_HOST, port: values.METRICS_PORT };
}
