/**
 * Returns the smallest of `values` that at least the share `p` (0 to 1) of them do not exceed.
 * Throws if there are none.
 */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
  if (found === undefined) throw new Error("there is no percentile without values");
  return found;
}

/** Returns the middle value, or the mean of the two middle values. Throws if there are none. */
export function median(values: readonly number[]): number {
  const above = -percentile(
    values.map((value) => -value),
    0.5,
  );
  return (percentile(values, 0.5) + above) / 2;
}

/** Rounds to `digits` significant digits: no measurement here is more precise than three. */
export function round(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}
