import type { Pool } from "pg";

/** Whether an attack has the size that `npm run attack` reports, or the one of `npm test`. */
export type Form = "full" | "short";

/** What an attack did, as counts for the report. */
export type Tally = Readonly<Record<string, number>>;

/** How many orders of an attack were answered; its name is their description. */
export const ordersAnswered = "orders answered";

/** What a caller from the network can use. It can be passed to another process. */
export type CallerTarget = {
  /** The port of the edge on loopback. */
  readonly port: number;
  /** The address from which it calls. */
  readonly address: string;
  /** The callers, with an account each. The first one has 1,000 paid orders of 1 kB. */
  readonly users: readonly User[];
};

/** A user and the value of the `authorization` header of its calls. */
export type User = { readonly userId: string; readonly authorization: string };

/** What an operator, or a fault of the surroundings, can reach. */
export type OperatorTarget = CallerTarget & {
  readonly databases: Readonly<Record<"orders" | "payments", Pool>>;
  /** Calls RabbitMQ's management API; `path` follows `/api/`. */
  manage(method: string, path: string, body?: unknown): Promise<unknown>;
  readonly vhost: string;
  /**
   * Kills a process of the system by SIGKILL; whoever supervises it starts it again. Returns false if
   * it was not running.
   */
  kill(process: string): boolean;
  /** Sets how far the clock of orders is ahead, in milliseconds. */
  setClockAhead(aheadMs: number): void;
  /** Creates missing queues again, as a provisioner does. */
  provisionQueues(): Promise<void>;
  /** The size of the log of a process in lines. */
  countLogLines(process: string): number;
  /** Notes that a fault begins, or ends: the recovery is measured from here. */
  mark(): void;
};

/** What must hold while an attack runs. */
export type Goals = {
  /** Whether good calls may fail while the attack runs, as when a service is killed. */
  readonly isOutage: boolean;
  /** How long good calls may be slow or fail after it, or after each of its marks. */
  readonly recoveryS: number;
};

type Common = {
  readonly name: string;
  readonly goals: Goals;
  /** Returns what is wrong with what it did; empty if nothing is. */
  faultsOf(did: Tally): readonly string[];
};
type Run<Target> = {
  /** What it does, with its size. */
  readonly size: string;
  /** How long good calls are measured at least. */
  readonly seconds: number;
  /**
   * Attacks at least at its size; then, if it is one that holds on, until `signal` aborts. Resolves
   * with what it did.
   */
  run(target: Target, signal: AbortSignal): Promise<Tally>;
};

/** An attack over the network, which runs in a process of its own with the lowest priority. */
export type CallerAttack = Common & {
  readonly by: "caller";
  in(form: Form): Run<CallerTarget>;
};
/** A fault of the system's surroundings, or an action of its operator. */
export type OperatorAttack = Common & {
  readonly by: "operator";
  in(form: Form): Run<OperatorTarget>;
};
export type Attack = CallerAttack | OperatorAttack;

type Definition<Size, Target> = {
  readonly name: string;
  readonly goals?: Partial<Goals>;
  readonly full: Size & { readonly seconds: number };
  readonly short: Size & { readonly seconds: number };
  /** Default: nothing is wrong. */
  faultsOf?(did: Tally): readonly string[];
  size(size: Size): string;
  run(target: Target, size: Size, signal: AbortSignal): Promise<Tally>;
};

const defaultGoals: Goals = { isOutage: false, recoveryS: 5 };

/** Defines an attack over the network. */
export function callerAttack<Size>(definition: Definition<Size, CallerTarget>): CallerAttack {
  return { by: "caller", ...commonOf(definition), in: (form) => runOf(definition, form) };
}

/** Defines a fault of the surroundings. */
export function operatorAttack<Size>(definition: Definition<Size, OperatorTarget>): OperatorAttack {
  return { by: "operator", ...commonOf(definition), in: (form) => runOf(definition, form) };
}

function commonOf(
  definition: Pick<Definition<unknown, unknown>, "name" | "goals" | "faultsOf">,
): Common {
  const { name, goals, faultsOf = () => [] } = definition;
  return { name, goals: { ...defaultGoals, ...goals }, faultsOf };
}

function runOf<Size, Target>(definition: Definition<Size, Target>, form: Form): Run<Target> {
  const size = definition[form];
  return {
    size: definition.size(size),
    seconds: size.seconds,
    run: (target, signal) => definition.run(target, size, signal),
  };
}
