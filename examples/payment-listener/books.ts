import { DatabaseSync } from "node:sqlite";
import { PaymentOutcome, type SettleEvent } from "@settle/sdk";

/** The event that is booked. */
export type PaymentResult = Extract<SettleEvent, { $typeName: "events.v1.PaymentResultEvent" }>;

/** The contents of the books. */
export type Report = {
  /** One entry per order, in the order of booking; amounts in minor units. */
  readonly results: readonly {
    readonly orderId: string;
    readonly userId: string;
    readonly outcome: string;
    readonly amount: string;
    readonly currency: string;
  }[];
  /** The amount paid in each currency, in minor units, without deducting refunds. */
  readonly turnover: Readonly<Record<string, string>>;
};

/** Books in a SQLite file. */
export type Books = Disposable & {
  /**
   * Books a result durably. Returns false, without any effect, if the event or another one about
   * the same order was booked before.
   */
  book(eventId: string, result: PaymentResult): boolean;
  report(): Report;
};

const schema = `
  CREATE TABLE IF NOT EXISTS results (
    event_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS turnover (
    currency TEXT PRIMARY KEY,
    amount INTEGER NOT NULL
  ) STRICT;
`;
const busyTimeoutMs = 5_000;

/** Opens the books in `file`, or creates them; throws the errors of SQLite. */
export function openBooks(file: string): Books {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  // A report can read while results are booked; a commit is on disk before its event is
  // acknowledged.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  database.exec(schema);
  const remember = database.prepare(
    `INSERT INTO results (event_id, order_id, user_id, outcome, amount, currency)
     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const add = database.prepare(
    `INSERT INTO turnover (currency, amount) VALUES (?, ?)
     ON CONFLICT (currency) DO UPDATE SET amount = amount + excluded.amount`,
  );
  const readResults = database.prepare(
    `SELECT order_id AS orderId, user_id AS userId, outcome, CAST(amount AS TEXT) AS amount, currency
     FROM results ORDER BY rowid`,
  );
  const readTurnover = database.prepare(
    "SELECT currency, CAST(amount AS TEXT) AS amount FROM turnover ORDER BY currency",
  );
  return {
    book(eventId, { orderId, userId, outcome, amount }) {
      const { minorUnits = 0n, currency = "" } = amount ?? {};
      const [word = String(outcome)] =
        Object.entries(PaymentOutcome).find(([, value]) => value === outcome) ?? [];
      database.exec("BEGIN IMMEDIATE");
      try {
        // The row with the event id comes first and decides; the effect follows in the same
        // transaction.
        const { changes } = remember.run(eventId, orderId, userId, word, minorUnits, currency);
        const isNew = changes > 0;
        if (isNew && outcome === PaymentOutcome.PAID) add.run(currency, minorUnits);
        database.exec("COMMIT");
        return isNew;
      } catch (error) {
        // SQLite rolls back by itself if the disk is full.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    },
    report() {
      const sums = readTurnover.all() as { currency: string; amount: string }[];
      return {
        results: readResults.all() as unknown as Report["results"],
        turnover: Object.fromEntries(sums.map(({ currency, amount }) => [currency, amount])),
      };
    },
    [Symbol.dispose]: () => database.close(),
  };
}
