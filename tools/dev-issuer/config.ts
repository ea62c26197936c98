import { isProduction, originsVariable, readEnvironment } from "@settle/chassis/config";
import { z } from "zod";

/** What the development issuer is started with. */
export type DevIssuerConfig = {
  readonly host: string;
  readonly port: number;
  /** What tokens say in `iss`, and the base of the addresses in the metadata. */
  readonly issuerUrl: string;
  readonly audience: string;
  readonly keysFolder: string;
  readonly corsOrigins: readonly string[];
  readonly logLevel: string;
};

const environment = z.object({
  HOST: z.string().min(1).default("127.0.0.1").describe("address to listen on"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080).describe("port to listen on"),
  ISSUER_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/[?#]|\/$/.test(url), "must not have a query, a fragment or a trailing slash")
    .describe("the URL of the issuer, which is also the claim `iss` of its tokens"),
  AUDIENCE: z.string().min(1).default("settle").describe("the claim `aud` of the tokens"),
  KEYS_FOLDER: z.string().min(1).describe("where the private keys are kept"),
  CORS_ORIGINS: originsVariable
    .prefault("http://localhost:5173,http://localhost:8000")
    .describe("origins of the pages that may request tokens from a browser"),
  NODE_ENV: z
    .string()
    .optional()
    .refine(
      (value) => !isProduction({ NODE_ENV: value }),
      "the development issuer gives anyone a token for any name; it does not run in production",
    ),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

/** Reads the configuration; throws one error that lists every fault, production among them. */
export function readDevIssuerConfig(
  variables: Readonly<Record<string, string | undefined>>,
): DevIssuerConfig {
  const values = readEnvironment(environment, variables);
  return {
    host: values.HOST,
    port: values.PORT,
    issuerUrl: values.ISSUER_URL,
    audience: values.AUDIENCE,
    keysFolder: values.KEYS_FOLDER,
    corsOrigins: values.CORS_ORIGINS,
    logLevel: values.LOG_LEVEL,
  };
}
