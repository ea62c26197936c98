import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../base/clock.ts";

/** The limits for fetching the issuer's keys. */
export type KeyLimits = {
  /** How long a fetched set of keys is used. */
  readonly keepMs: number;
  /** How soon it may be fetched again for a token with an unknown key. */
  readonly cooldownMs: number;
  readonly timeoutMs: number;
};

/**
 * Returns the keys of the issuer, fetched from `url` for the first token and again by the limits.
 * Their age is measured by the monotonic clock: jose would take them for fresh, and refuse new keys,
 * for as long as the machine's clock was set back.
 */
export function createIssuerKeys(
  url: string,
  { keepMs, cooldownMs, timeoutMs }: KeyLimits,
  clock: Pick<Clock, "monotonicMs">,
): JWTVerifyGetKey {
  const fetched = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: Infinity,
    cooldownDuration: Infinity,
    timeoutDuration: timeoutMs,
  });
  let fetchedMs = Number.NEGATIVE_INFINITY;
  const isOlderThan = (ms: number) => clock.monotonicMs() - fetchedMs >= ms;
  const fetchAgain = async () => {
    await fetched.reload();
    fetchedMs = clock.monotonicMs();
  };
  return async (header, token) => {
    if (isOlderThan(keepMs)) await fetchAgain();
    try {
      return await fetched(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !isOlderThan(cooldownMs)) throw error;
      await fetchAgain();
      return fetched(header, token);
    }
  };
}
