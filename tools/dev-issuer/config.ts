import { isProduction, processEnvironment, readEnvironment } from "@settle/chassis/config";
import { originsVariable } from "@settle/chassis/origin-variables";
import { z } from "zod";

/** The configuration of the development issuer. */
export type DevIssuerConfig = {
  readonly host: string;
  readonly port: number;
  /** The claim `iss` of the tokens, and the base of the URLs in the metadata. */
  readonly issuerUrl: string;
  readonly audience: string;
  readonly keysFolder: string;
  readonly corsOrigins: readonly string[];
  readonly logLevel: string;
};

/** The environment variables of the development issuer. */
export const environment = processEnvironment.extend({
  ISSUER_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/[?#]|\/$/.test(url), "must not have a query, a fragment or a trailing slash")
    .describe("Where the issuer is reached, without a trailing slash: the claim `iss`."),
  AUDIENCE: z.string().min(1).default("settle").describe("The claim `aud` of its tokens."),
  KEYS_FOLDER: z.string().min(1).describe("The folder that keeps the private keys."),
  CORS_ORIGINS: originsVariable
    .prefault("http://localhost:5173,http://localhost:8000")
    .describe("Pages that may request tokens from a browser."),
  NODE_ENV: processEnvironment.shape.NODE_ENV.refine(
    (value) => !isProduction({ NODE_ENV: value }),
    "the development issuer gives anyone a token for any name; it does not run in production",
  ).describe("With `production` the issuer refuses to start; its image requires another value."),
});

/** Reads the configuration; throws one error that lists every fault, including production. */
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
