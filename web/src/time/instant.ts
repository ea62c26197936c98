/** A timestamp as in responses. */
export type Instant = { readonly seconds: bigint; readonly nanos: number };

/** Returns the timestamp in milliseconds since 1970, with microseconds as a fraction. */
export function instantMs({ seconds, nanos }: Instant): number {
  return Number(seconds) * 1_000 + nanos / 1_000_000;
}

/** Formats the timestamp as ISO 8601 in UTC, with milliseconds: `2026-11-22T09:30:00.000Z`. */
export function isoOf(instant: Instant): string {
  return new Date(instantMs(instant)).toISOString();
}
