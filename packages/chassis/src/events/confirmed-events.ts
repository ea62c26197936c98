import type { Logger } from "pino";
import type { Database } from "../database/database.ts";

const aloneDeleteMs = 100;
const maxDeletesPerWrite = 2_000;

/** The events whose rows in the outbox can be deleted. */
export type ConfirmedEvents = AsyncDisposable & {
  /** Adds one. Unless a write takes it, a separate statement deletes its row shortly after. */
  add(id: string): void;
  /** Takes a limited number of them, for a transaction that deletes their rows. */
  take(): readonly string[];
  /** Gives back those of a transaction that failed. */
  giveBack(ids: readonly string[]): void;
};

/** Disposing deletes the rows of all that are left, unless the database refuses. */
export function createConfirmedEvents(options: {
  readonly database: Database;
  readonly log: Logger;
}): ConfirmedEvents {
  const { database, log } = options;
  let confirmed: string[] = [];
  // Their transaction failed. The next one must not, in case somebody has locked such a row.
  const leftOver: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let deleting: Promise<void> = Promise.resolve();
  let stopped = false;

  const countLeft = () => confirmed.length + leftOver.length;
  const take = () => {
    const taken = confirmed.slice(0, maxDeletesPerWrite);
    confirmed = confirmed.slice(taken.length);
    return taken;
  };
  const schedule = () => {
    if (countLeft() === 0 || stopped) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      deleting = deleteAlone();
    }, aloneDeleteMs);
  };
  const giveBack = (ids: readonly string[]) => {
    leftOver.push(...ids);
    schedule();
  };
  const deleteAlone = async () => {
    const ids = [...leftOver.splice(0, maxDeletesPerWrite), ...take()];
    if (ids.length === 0) return;
    try {
      // A row that somebody has locked is left to the sweep.
      await database.query(
        `DELETE FROM outbox WHERE id = ANY(ARRAY(
           SELECT id FROM outbox WHERE id = ANY($1::uuid[]) FOR UPDATE SKIP LOCKED
         ))`,
        [ids],
      );
      schedule();
    } catch (error) {
      log.debug({ err: error }, "confirmed events could not be deleted yet");
      giveBack(ids);
    }
  };

  return {
    add(id) {
      confirmed.push(id);
      schedule();
    },
    take,
    giveBack,
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(timer);
      await deleting;
      for (let left = countLeft(); left > 0; left = countLeft()) {
        await deleteAlone();
        if (countLeft() >= left) break;
      }
    },
  };
}
