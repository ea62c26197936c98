/**
 * Returns a regular expression that matches the integers from `lower` to `upper` in the form of
 * JSON: decimal, without leading zeros, with a leading `-` if negative. `lower` must not be above
 * `upper`.
 */
export function decimalPattern(lower: bigint, upper: bigint): string {
  return `^${decimals(lower, upper)}$`;
}

/**
 * Returns a part of a regular expression that matches the durations from `from` to `to` seconds in
 * the form of proto JSON: `1s`, `1.5s`. Neither may be negative, and `from` must not be above `to`.
 * `to` itself matches if `withEnd` is true, which is required if `from` equals `to`.
 */
export function durationPattern(from: bigint, to: bigint, withEnd = true): string {
  const below = from < to ? [`${decimals(from, to - 1n)}(?:\\.[0-9]{1,9})?`] : [];
  return `${group([...below, ...(withEnd ? [`${to}(?:\\.0{1,9})?`] : [])])}s`;
}

/** The longest duration, positive or negative: about 10,000 years. */
const longestDurationSeconds = 315_576_000_000n;

/** The pattern of a duration without bounds. */
export const anyDuration = `^-?${durationPattern(0n, longestDurationSeconds)}$`;

function decimals(lower: bigint, upper: bigint): string {
  const zero = lower <= 0n && upper >= 0n ? ["0"] : [];
  const positive = upper > 0n ? magnitudes(lower > 1n ? lower : 1n, upper) : [];
  const negative = lower < 0n ? magnitudes(upper < -1n ? -upper : 1n, -lower) : [];
  const isSymmetric = positive.length > 0 && positive.join() === negative.join();
  return `(?:${[
    ...zero,
    ...(isSymmetric ? [`-?${group(positive)}`] : positive),
    ...(isSymmetric || negative.length === 0 ? [] : [`-${group(negative)}`]),
  ].join("|")})`;
}

/** Returns alternatives that together match the numbers from `from`, at least 1, to `to`. */
function magnitudes(from: bigint, to: bigint): readonly string[] {
  const [shortest, longest] = [String(from).length, String(to).length];
  if (shortest === longest) return [sameLength(String(from), String(to))];
  const smallest = (digits: number) => `1${"0".repeat(digits - 1)}`;
  const largest = (digits: number) => "9".repeat(digits);
  const isWholeFirst = String(from) === smallest(shortest);
  const isWholeLast = String(to) === largest(longest);
  const first = isWholeFirst ? shortest : shortest + 1;
  const last = isWholeLast ? longest : longest - 1;
  return [
    ...(isWholeFirst ? [] : [sameLength(String(from), largest(shortest))]),
    ...(first > last ? [] : [`[1-9]${anyDigits(first - 1, last - 1)}`]),
    ...(isWholeLast ? [] : [sameLength(smallest(longest), String(to))]),
  ];
}

/** Returns a pattern for the numbers between two numbers with the same number of digits. */
function sameLength(from: string, to: string): string {
  if (from === "") return "";
  const [a = "", b = ""] = [from[0], to[0]];
  const [fromRest, toRest] = [from.slice(1), to.slice(1)];
  const rest = fromRest.length;
  if (a === b) return a + sameLength(fromRest, toRest);
  const isWholeFirst = /^0*$/.test(fromRest);
  const isWholeLast = /^9*$/.test(toRest);
  const first = Number(a) + (isWholeFirst ? 0 : 1);
  const last = Number(b) - (isWholeLast ? 0 : 1);
  return group([
    ...(isWholeFirst ? [] : [a + sameLength(fromRest, "9".repeat(rest))]),
    ...(first > last
      ? []
      : [`${first === last ? first : `[${first}-${last}]`}${anyDigits(rest, rest)}`]),
    ...(isWholeLast ? [] : [b + sameLength("0".repeat(rest), toRest)]),
  ]);
}

function anyDigits(min: number, max: number): string {
  if (max === 0) return "";
  return `[0-9]{${min === max ? min : `${min},${max}`}}`;
}

function group(alternatives: readonly string[]): string {
  return alternatives.length === 1 ? (alternatives[0] ?? "") : `(?:${alternatives.join("|")})`;
}
