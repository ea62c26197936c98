import { parseArgs } from "node:util";
import type { Form } from "./attack.ts";
import { attacks } from "./catalog.ts";

/** What `npm run attack` is asked to do. */
export type Plan = {
  readonly help: boolean;
  /** The names of the attacks to run. */
  readonly only: ReadonlySet<string>;
  readonly form: Form;
  /** How long each attack lasts at least; undefined for its own time. */
  readonly seconds: number | undefined;
  readonly quietS: number;
  readonly json: boolean;
};

const full = { form: "full", quietS: 60 } as const;
const quick = { form: "short", quietS: 20 } as const;

export const usage = `npm run attack [-- --only <name>,...] [-- --seconds <n>] [-- --quick] [-- --json] [-- --help]

Starts the whole system on this machine, attacks it in one way after the other beside good traffic at a
fixed rate, stops it and prints a table: failed calls and latencies of good callers without and with the
attack, missed health checks, the most memory of orders, payments and Envoy, and the time until good
calls were fine again. Exits with 1 if a goal was missed. Progress is written to standard error. Needs
Linux. The machine should be idle otherwise. Everything takes up to 25 minutes.

  --only <names>   runs only these attacks, separated by commas
  --seconds <n>    how long each attack lasts at least, and the quiet time before it; default: its own
  --quick          small attacks: 6 minutes for all
  --json           prints the measurements as JSON instead of a table
  --help           shows this help

Attacks:
${attacks.map(({ name, ...attack }) => `  ${name.padEnd(25)}${attack.in("full").size}`).join("\n")}`;

/** Reads the command line; throws on unknown arguments. */
export function readArguments(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const names = attacks.map(({ name }) => name);
  const only = values.only?.split(",") ?? names;
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new Error(`there is no attack ${unknown.join(", ")}; there are: ${names.join(", ")}`);
  }
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  if (seconds !== undefined && !(seconds >= 1 && seconds <= 600)) {
    throw new Error("--seconds must be from 1 to 600");
  }
  const { form, quietS } = values.quick ? quick : full;
  return {
    help: values.help ?? false,
    only: new Set(only),
    form,
    seconds,
    quietS: seconds ?? quietS,
    json: values.json ?? false,
  };
}
