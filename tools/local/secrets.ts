import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const secretBytes = 18;

/**
 * Returns the secret in `file`, of URL-safe characters. The first call creates the file, readable
 * only by this user (mode 0600), and its folder if it is missing.
 */
export function readSecret(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, randomBytes(secretBytes).toString("base64url"), { mode: 0o600 });
  }
  return readFileSync(file, "utf8");
}
