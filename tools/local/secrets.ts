import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const secretBytes = 18;

/**
 * The secret kept in `file`: made at the first call, for this user's eyes only (mode 0600), then
 * always the same. Its folder is made where missing. URL-safe characters only.
 */
export function readSecret(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, randomBytes(secretBytes).toString("base64url"), { mode: 0o600 });
  }
  return readFileSync(file, "utf8");
}
