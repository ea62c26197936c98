import { parseArgs } from "node:util";

/** How long and how often everything is measured. */
export type Plan = {
  readonly accounts: number;
  readonly warmUpS: number;
  readonly rounds: number;
  /** Of the system, in each round, for each number of connections. */
  readonly systemS: number;
  /** Of pgbench, in each round, for each number of clients. */
  readonly baselineS: number;
  readonly latencyS: number;
};

const quick: Plan = {
  accounts: 10_000,
  warmUpS: 6,
  rounds: 3,
  systemS: 5,
  baselineS: 5,
  latencyS: 30,
};
const full: Plan = { ...quick, rounds: 5, systemS: 60, baselineS: 30, latencyS: 60 };

export type Arguments = {
  readonly help: boolean;
  readonly plan: Plan;
  /** Where the services leave CPU profiles when they stop, if anywhere. */
  readonly profileFolder: string | undefined;
};

export const usage = `npm run bench [-- --quick] [-- --profile <folder>] [-- --help]

Starts the whole system on this machine, beside whatever else runs, measures it, stops it and prints
what it found as JSON. Progress goes to standard error. Nothing else should be busy meanwhile.

  create to paid   at 20 orders a second through the edge: from the request's sending to the commit
                   that settles the order, as PostgreSQL stamps it
  paid orders/s    at saturation through the edge, over ${full.accounts} accounts, beside pgbench doing the same
                   transactions one order at a time, in turns

  --quick             ${quick.rounds} short rounds instead of ${full.rounds} of some minutes: three minutes in all
  --profile <folder>  the services write CPU profiles there (.cpuprofile); it costs some speed
  --help              show this`;

/** Reads the command line; throws where it holds anything unknown. */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean" },
      profile: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  return {
    help: values.help ?? false,
    plan: values.quick ? quick : full,
    profileFolder: values.profile,
  };
}
