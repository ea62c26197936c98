import type { LocalConfig, TokenIssuer } from "./config.ts";

const host = "127.0.0.1";
/** The origin at which web/vite.config.ts serves the page. */
const devPageOrigin = "http://localhost:5174";

/** The issuer in the environment, or else the development issuer of this stack. */
export function tokenIssuerOf({ issuer, ports }: LocalConfig): TokenIssuer {
  return (
    issuer ?? {
      issuer: `http://localhost:${ports.auth}`,
      audience: "settle",
      jwksUrl: `http://${host}:${ports.auth}/.well-known/jwks.json`,
    }
  );
}

/** The origins of the page; with the development issuer, also that of `npm run dev -w web`. */
export function pageOriginsOf({ ports, issuer }: LocalConfig): string[] {
  const origins = ["localhost", host].map((name) => `http://${name}:${ports.page}`);
  return issuer ? origins : [...origins, devPageOrigin];
}
