import { parseArgs } from "node:util";

/** How long and how often everything is measured. */
export type Plan = {
  readonly accounts: number;
  readonly warmUpS: number;
  readonly rounds: number;
  /** For the system, in each round, per number of connections. */
  readonly systemS: number;
  /** For pgbench, in each round, per number of clients. */
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
/** From so few accounts on, a load at saturation exceeds the quotas of users. */
const fewAccounts = 500;
const raisedQuotas = {
  USER_WRITES_PER_SECOND: "100000",
  USER_WRITES_PER_DAY: "1000000000",
  USER_PENDING_ORDERS: "1000000",
};
const full: Plan = { ...quick, rounds: 5, systemS: 60, baselineS: 30, latencyS: 60 };

export type Arguments = {
  readonly help: boolean;
  readonly plan: Plan;
  /** The variables of the services that are not left at their defaults. */
  readonly serviceEnv: Readonly<Record<string, string>>;
  /** Where the services write CPU profiles when they stop; undefined for none. */
  readonly profileFolder: string | undefined;
};

export const usage = `npm run bench [-- --quick] [-- --profile <folder>] [-- --help]

Starts the whole system on this machine, measures it, stops it and prints the results as JSON. Progress
is written to standard error. The machine should be idle otherwise.

  create to paid   latency at 20 orders per second through the edge: from sending the request to the
                   commit that settles the order, by PostgreSQL's commit timestamps
  paid orders/s    throughput at saturation through the edge, over ${full.accounts} accounts, compared with
                   pgbench, which runs the same transactions for one order at a time, in alternation

The services have their default settings. With fewer than ${fewAccounts} accounts, the quotas of users are raised
and printed.

  --quick             ${quick.rounds} short rounds instead of ${full.rounds} of several minutes: three minutes in total
  --accounts <n>      spreads the orders over n accounts; 1 measures a single hot account
  --profile <folder>  the services write CPU profiles (.cpuprofile) there, which costs some speed
  --help              shows this help`;

/** Reads the command line; throws on unknown arguments. */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean" },
      accounts: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const plan = values.quick ? quick : full;
  const accounts = Number(values.accounts ?? plan.accounts);
  if (!Number.isInteger(accounts) || accounts < 1) throw new Error("--accounts takes a number");
  return {
    help: values.help ?? false,
    plan: { ...plan, accounts },
    serviceEnv: accounts < fewAccounts ? raisedQuotas : {},
    profileFolder: values.profile,
  };
}
