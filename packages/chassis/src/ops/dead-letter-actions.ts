import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type DeadLetterSelection, DeadLetterState } from "@settle/gen/ops/v1/dead_letters_pb";
import type { Logger } from "pino";
import type { CheckedClock } from "../base/clock.ts";
import { steadyLogOf } from "../base/steady-log.ts";
import type { Database, Transaction } from "../database/database.ts";
import { failureOf } from "../database/database-failure.ts";
import type { MessageHandler } from "../events/consumer.ts";
import { claimMessages, refusalOfId, releaseMessages } from "../events/inbox.ts";
import { createMessageReader } from "../events/message-reader.ts";
import { filterCondition, filterValues } from "./dead-letter-rows.ts";
import { type Action, recordAction } from "./operator-actions.ts";

const { OPEN, REDRIVEN, PARKED, DISCARDED } = DeadLetterState;
const defaultMaxCount = 100;
/** How many dead letters one transaction handles at most. */
const maxBatch = 50;
const maxRunMs = 10_000;
const secondMs = 1_000;
const firstId = "00000000-0000-0000-0000-000000000000";

/** What an action has done. */
export type ActionResult = {
  readonly changedCount: number;
  readonly failedCount: number;
  readonly more: boolean;
};

type Letter = {
  readonly id: string;
  readonly event_id: string;
  readonly type: string;
  readonly body: Buffer;
};
/** The next dead letters of a selection: those after an id, in one of some states. */
type Part = {
  readonly selection: DeadLetterSelection;
  readonly states: readonly DeadLetterState[];
  readonly after: string;
  readonly limit: number;
};
type Counts = {
  readonly changed: number;
  readonly failed: number;
  readonly last?: string | undefined;
};

/** The actions on the dead letters of a service. */
export type DeadLetterActions = {
  /** Sets open dead letters aside. */
  park(selection: DeadLetterSelection, action: Action): Promise<ActionResult>;
  /** Gives open or parked dead letters up. */
  discard(selection: DeadLetterSelection, action: Action): Promise<ActionResult>;
  /**
   * Handles open or parked dead letters by the handler of the service, behind its inbox, in the
   * transaction that changes their state: so each takes effect at most once, without the broker. A
   * batch that fails is handled one by one. `maxPerSecond` 0 is without limit.
   */
  redrive(
    selection: DeadLetterSelection,
    action: Action,
    maxPerSecond: number,
  ): Promise<ActionResult>;
};

/** Creates the actions. Each records itself in the transactions in which it takes effect. */
export function createDeadLetterActions<Schema extends DescMessage>(options: {
  readonly database: Database;
  readonly schemas: readonly Schema[];
  readonly handle: MessageHandler<Schema>;
  readonly clock: CheckedClock;
  readonly newId: () => string;
  readonly log: Logger;
}): DeadLetterActions {
  const { database, handle, clock, newId, log } = options;
  const read = createMessageReader(options.schemas, clock);

  /** Locks the next dead letters of the selection; those that another action has locked are left. */
  const lock = ({ query }: Transaction, { selection, states, after, limit }: Part) =>
    query<Letter>(
      `SELECT id, event_id, type, body FROM dead_letters
       WHERE (id = ANY($6::uuid[]) OR cardinality($6::uuid[]) = 0 AND ${filterCondition})
         AND state = ANY($7::smallint[]) AND id > $8::uuid
       ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED`,
      [
        ...filterValues({ ...selection, state: selection.state || OPEN }),
        selection.ids,
        states,
        after,
      ],
    );
  const change = ({ query }: Transaction, ids: readonly string[], state: DeadLetterState) =>
    query("UPDATE dead_letters SET state = $2 WHERE id = ANY($1::uuid[])", [ids, state]);

  /** Runs `step` on one part after the other, each dead letter once; the first records the action. */
  const run = async (
    asked: DeadLetterSelection,
    { timeMs }: Action,
    { states, maxPerSecond }: { states: readonly DeadLetterState[]; maxPerSecond: number },
    step: (part: Part) => Promise<Counts>,
  ): Promise<ActionResult> => {
    // What becomes a dead letter from now on is not among those of a filter.
    const { deadBefore = timestampFromMs(timeMs) } = asked;
    const selection = { ...asked, deadBefore };
    const max = asked.ids.length || asked.maxCount || defaultMaxCount;
    const startMs = clock.monotonicMs();
    let [changed, failed, after] = [0, 0, firstId];
    for (;;) {
      const left = max - changed - failed;
      const isOver = left === 0 || clock.monotonicMs() - startMs > maxRunMs;
      const more = left > 0 || asked.ids.length === 0;
      if (isOver) return { changedCount: changed, failedCount: failed, more };
      const limit = Math.min(left, maxBatch, maxPerSecond || maxBatch);
      const counts = await step({ selection, states, after, limit });
      changed += counts.changed;
      failed += counts.failed;
      if (counts.last === undefined) {
        return { changedCount: changed, failedCount: failed, more: false };
      }
      after = counts.last;
      if (maxPerSecond > 0) {
        const dueMs = ((changed + failed) / maxPerSecond) * secondMs;
        await pause(Math.max(0, Math.min(dueMs, maxRunMs) - (clock.monotonicMs() - startMs)));
      }
    }
  };
  const move = (
    selection: DeadLetterSelection,
    action: Action,
    states: readonly DeadLetterState[],
    to: DeadLetterState,
  ) =>
    run(selection, action, { states, maxPerSecond: 0 }, (part) =>
      database.transaction(async (transaction) => {
        const ids = (await lock(transaction, part)).map(({ id }) => id);
        await change(transaction, ids, to);
        const counts = { changed: ids.length, failed: 0, last: ids.at(-1) };
        await recordAction(transaction, action, counts);
        return counts;
      }),
    );

  const messageOf = ({ event_id: id, type, body }: Letter) => {
    const isKnown = refusalOfId(id, clock) === undefined;
    return read({
      messageId: isKnown ? id : newId(),
      type,
      body,
      headers: {},
      redelivered: false,
      timestampMs: undefined,
      ack: () => {},
      requeue: () => {},
    });
  };
  /** Handles the letters; returns those that failed, with the reasons. */
  const handleAll = async (transaction: Transaction, letters: readonly Letter[]) => {
    const failed = new Map<string, string>();
    const ready = letters.flatMap((letter) => {
      const message = messageOf(letter);
      if (typeof message !== "string") return [{ letter, message }];
      failed.set(letter.id, message);
      return [];
    });
    const byId = new Map(ready.map(({ message }) => [message.id, message]));
    const fresh = await claimMessages(transaction, [...byId.keys()]);
    const messages = [...byId.values()].filter(({ id }) => fresh.has(id));
    if (messages.length === 0) return failed;
    const tooEarly = new Set((await handle(transaction, messages)).tooEarly);
    if (tooEarly.size > 0) await releaseMessages(transaction, [...tooEarly]);
    for (const { letter, message } of ready) {
      if (tooEarly.has(message.id)) failed.set(letter.id, "still too early");
    }
    return failed;
  };
  const finish = async (
    transaction: Transaction,
    letters: readonly Letter[],
    failed: ReadonlyMap<string, string>,
    action: Action,
  ): Promise<Counts> => {
    const done = letters.filter(({ id }) => !failed.has(id)).map(({ id }) => id);
    await change(transaction, done, REDRIVEN);
    await transaction.query(
      `UPDATE dead_letters AS d SET state = ${OPEN}, reason = f.reason, attempts = attempts + 1,
         last_time = to_timestamp($3 / 1000.0)
       FROM unnest($1::uuid[], $2::text[]) AS f (id, reason) WHERE d.id = f.id`,
      [[...failed.keys()], [...failed.values()], clock.nowMs()],
    );
    const last = letters.at(-1)?.id;
    const counts = { changed: done.length, failed: failed.size, last };
    await recordAction(transaction, action, counts);
    return counts;
  };
  /** Handles a part; if that fails, its first dead letter alone, and notes why that one fails. */
  const redrivePart = async (part: Part, action: Action): Promise<Counts> => {
    let first: string | undefined;
    try {
      return await database.transaction(async (transaction) => {
        const letters = await lock(transaction, part);
        first = letters[0]?.id;
        const failed = await handleAll(transaction, letters);
        return finish(transaction, letters, failed, action);
      });
    } catch (error) {
      const failure = failureOf(error);
      if (first === undefined || failure === "unavailable" || failure === "busy") throw error;
      if (part.limit > 1) return redrivePart({ ...part, limit: 1 }, action);
      steadyLogOf(log).warn({ err: error, deadLetter: first }, "a dead letter failed again");
      const selection = { ...part.selection, ids: [first] };
      return database.transaction(async (transaction) => {
        const letters = await lock(transaction, { ...part, selection });
        const failed = new Map(letters.map(({ id }) => [id, `failed: ${failure}`]));
        return { ...(await finish(transaction, letters, failed, action)), last: first };
      });
    }
  };

  return {
    park: (selection, action) => move(selection, action, [OPEN], PARKED),
    discard: (selection, action) => move(selection, action, [OPEN, PARKED], DISCARDED),
    redrive: (selection, action, maxPerSecond) =>
      run(selection, action, { states: [OPEN, PARKED], maxPerSecond }, (part) =>
        redrivePart(part, action),
      ),
  };
}
