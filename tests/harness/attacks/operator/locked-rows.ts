import { setTimeout as pause } from "node:timers/promises";
import { type OperatorTarget, operatorAttack, type User } from "../attack.ts";
import { createGoodCaller } from "../good-caller.ts";

/** How long a row is locked, and how often its user orders meanwhile. */
type Lock = { readonly holdS: number; readonly orderEveryMs: number };

const full = { seconds: 45, holdS: 40, orderEveryMs: 5_000 };
const short = { seconds: 5, holdS: 5, orderEveryMs: 500 };
const sizeOf = (what: string) => (lock: Lock) =>
  `${what} locked for ${lock.holdS} s while its user orders every ${lock.orderEveryMs / 1_000} s`;

/** Another transaction holds the account of a user who goes on ordering. */
export const lockedAccount = operatorAttack({
  name: "locked-account",
  full,
  short,
  size: sizeOf("one account"),
  run: (target, lock) => holdRow(target, lock, { user: 2, service: "payments", table: "accounts" }),
});

/** Another transaction holds the revision counter of a user who goes on ordering. */
export const lockedRevisions = operatorAttack({
  name: "locked-revisions",
  full,
  short,
  size: sizeOf("one row of user_revisions"),
  run: (target, lock) =>
    holdRow(target, lock, { user: 3, service: "orders", table: "user_revisions" }),
});

async function holdRow(
  target: OperatorTarget,
  { holdS, orderEveryMs }: Lock,
  row: { readonly user: number; readonly service: "orders" | "payments"; readonly table: string },
) {
  const { service, table } = row;
  const user = target.users[row.user] as User;
  using caller = createGoodCaller("REST", target);
  // Creates the user's row in both tables.
  await caller.create(user, 1, "before the lock");
  const tally = { answered: 0, "answered late or refused": 0 };
  const calls: Promise<void>[] = [];
  const order = async () => {
    try {
      await caller.create(user, 1, "while locked");
      tally.answered += 1;
    } catch {
      tally["answered late or refused"] += 1;
    }
  };
  const client = await target.databases[service].connect();
  try {
    await client.query("BEGIN");
    const held = await client.query(`SELECT FROM ${table} WHERE user_id = $1 FOR UPDATE`, [
      user.userId,
    ]);
    if (held.rowCount !== 1) throw new Error(`${table} has no row of ${user.userId}`);
    const endMs = performance.now() + holdS * 1_000;
    while (performance.now() < endMs) {
      calls.push(order());
      await pause(orderEveryMs);
    }
    target.mark();
    await client.query("ROLLBACK");
  } finally {
    client.release();
  }
  await Promise.all(calls);
  return tally;
}
