import { fileURLToPath } from "node:url";
import { isProduction, processEnvironment, readEnvironment } from "@settle/chassis/config";
import { metricsAddressOf, metricsEnvironment } from "@settle/chassis/metrics-config";
import { originsVariable, originVariable } from "@settle/chassis/origin-variables";
import type { MetricsAddress } from "@settle/chassis/rpc/metrics-server";
import { z } from "zod";

/** The environment variables of the page's server. */
export const environment = processEnvironment.extend({
  ...metricsEnvironment.shape,
  PORT: processEnvironment.shape.PORT.unwrap()
    .default(5173)
    .describe("The port to listen on; the image sets 8080."),
  PAGE_FOLDER: z
    .string()
    .min(1)
    .default(fileURLToPath(new URL("../dist", import.meta.url)))
    .describe("The folder of the built page."),
  EDGE_URL: originVariable
    .default("http://localhost:8000")
    .describe("The edge, as browsers reach it."),
  DEV_ISSUER_URL: originVariable
    .default("http://localhost:8003")
    .describe(
      "The development issuer, as browsers reach it. Not used in production or with `OIDC_AUTHORITY`.",
    ),
  OIDC_AUTHORITY: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description: "The OpenID provider that signs people in: its issuer URL.",
      otherwise: "none; required in production",
    }),
  OIDC_CLIENT_ID: z.string().min(1).optional().meta({
    description: "The client id of the page at that provider.",
    otherwise: "none; required with `OIDC_AUTHORITY` and in production",
  }),
  OIDC_SCOPE: z
    .string()
    .min(1)
    .default("openid")
    .describe("The scopes to request, separated by spaces."),
  OIDC_ORIGINS: originsVariable.prefault("").meta({
    description: "Further origins of the provider's endpoints, if not all share its issuer's.",
    otherwise: "none",
  }),
  AUTH_USER_CLAIM: z
    .string()
    .min(1)
    .default("sub")
    .describe("The claim of the access token that names the user, as set for the services."),
});

/** How users sign in: by any name in development, at an OpenID provider otherwise. */
export type SignInConfig =
  | { readonly kind: "development"; readonly issuerUrl: string }
  | {
      readonly kind: "oidc";
      readonly authority: string;
      readonly clientId: string;
      readonly scope: string;
      readonly userClaim: string;
    };

/** The configuration of the page, which it loads from `/config.json` at startup. */
export type PageConfig = {
  /** The URL that the SDK calls. */
  readonly edgeUrl: string;
  readonly signIn: SignInConfig;
  /** Whether to offer features for development only, such as placing many orders. */
  readonly development: boolean;
};

/** The configuration of the page's server. */
export type WebConfig = PageConfig & {
  readonly host: string;
  readonly port: number;
  /** The folder of the built page. */
  readonly folder: string;
  /** The origins that the page may call, besides its own server. */
  readonly callableOrigins: readonly string[];
  readonly metrics: MetricsAddress;
  readonly logLevel: string;
};

/**
 * Reads the configuration. In production, and whenever `OIDC_AUTHORITY` is set, users sign in at an
 * OpenID provider. Throws one error that lists every fault.
 */
export function readWebConfig(variables: Readonly<Record<string, string | undefined>>): WebConfig {
  const schema = environment.superRefine((values, context) => {
    const needed = isProduction(values) || values.OIDC_AUTHORITY !== undefined;
    for (const name of ["OIDC_AUTHORITY", "OIDC_CLIENT_ID"] as const) {
      if (!needed || values[name] !== undefined) continue;
      context.addIssue({ code: "custom", path: [name], message: "is required for sign-in" });
    }
  });
  const values = readEnvironment(schema, variables);
  const { OIDC_AUTHORITY: authority, OIDC_CLIENT_ID: clientId } = values;
  const signIn: SignInConfig =
    authority && clientId
      ? {
          kind: "oidc",
          authority,
          clientId,
          scope: values.OIDC_SCOPE,
          userClaim: values.AUTH_USER_CLAIM,
        }
      : { kind: "development", issuerUrl: values.DEV_ISSUER_URL };
  return {
    host: values.HOST,
    port: values.PORT,
    folder: values.PAGE_FOLDER,
    edgeUrl: values.EDGE_URL,
    signIn,
    callableOrigins: [
      values.EDGE_URL,
      ...(signIn.kind === "oidc"
        ? [new URL(signIn.authority).origin, ...values.OIDC_ORIGINS]
        : [signIn.issuerUrl]),
    ],
    development: !isProduction(values),
    metrics: metricsAddressOf(values),
    logLevel: values.LOG_LEVEL,
  };
}

/** Returns the part of the configuration that is sent to browsers. */
export function pageConfigOf({ edgeUrl, signIn, development }: WebConfig): PageConfig {
  return { edgeUrl, signIn, development };
}
