import { median } from "./statistics.ts";

/**
 * Returns how many pairs of runs the command line asks for: its only argument, or `standard`. `args`
 * are the arguments to read, if others come first. For `--help`, prints `usage` and exits; exits
 * with 1 for any other argument.
 */
export function readPairs(
  usage: string,
  standard: number,
  args: readonly string[] = process.argv.slice(2),
): number {
  const [argument = String(standard)] = args;
  if (argument === "--help" || argument === "-h") {
    console.log(usage);
    process.exit();
  }
  const pairs = Number(argument);
  if (!Number.isInteger(pairs) || pairs < 1) {
    console.error(`The number of pairs must be a whole number, not ${argument}; see --help`);
    process.exit(1);
  }
  return pairs;
}

/** Returns `values` as `median (min - max)`, with this many decimals. */
export function spread(values: readonly number[], digits: number): string {
  const [from, to] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${from.toFixed(digits)} - ${to.toFixed(digits)})`;
}
