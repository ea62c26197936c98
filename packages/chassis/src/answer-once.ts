import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import type { Transaction } from "./database.ts";
import {
  claimKeys,
  identityOf,
  type KeyedCall,
  releaseKeys,
  type StoredAnswer,
  storeAnswers,
} from "./idempotency.ts";

/** What a call comes to: an answer, perhaps that of an earlier call under the same key. */
export type Outcome<Answer> =
  | { readonly answer: Answer; readonly replayed: boolean }
  | { readonly refusal: ErrorReason };

/**
 * Lets each call of a batch take effect at most once per idempotency key, all in `transaction`.
 *
 * `effect` is called with those that are new and returns for each, in order, its answer or why it
 * is refused. An answer is stored with the effect; a refusal leaves no trace, so that the same call
 * may succeed later. A call whose key has been answered, before or in this same batch, gets that
 * answer again, or IDEMPOTENCY_KEY_REUSED if its request was another.
 */
export async function answerOnce<
  Item extends { readonly call: KeyedCall },
  Schema extends DescMessage,
>(
  transaction: Transaction,
  schema: Schema,
  items: readonly Item[],
  effect: (fresh: readonly Item[]) => Promise<readonly (MessageShape<Schema> | ErrorReason)[]>,
): Promise<readonly Outcome<MessageShape<Schema>>[]> {
  const firsts = new Map<string, Item>();
  for (const item of items) {
    const identity = identityOf(item.call);
    if (!firsts.has(identity)) firsts.set(identity, item);
  }
  const claimants = [...firsts.values()];
  const stored = await claimKeys(
    transaction,
    claimants.map((item) => item.call),
  );
  const fresh = claimants.filter((_, index) => !stored[index]);
  const answers = fresh.length > 0 ? await effect(fresh) : [];
  await keepAnswers(transaction, schema, fresh, answers);

  const next = answers.values();
  const outcomes = new Map<Item, Outcome<MessageShape<Schema>>>();
  claimants.forEach((item, index) => {
    const earlier = stored[index];
    outcomes.set(item, earlier ? replay(schema, item, earlier) : outcomeOf(next.next().value));
  });
  return items.map((item) => {
    const first = firsts.get(identityOf(item.call)) ?? item;
    const outcome = outcomes.get(first) ?? reused;
    if (item === first || "refusal" in outcome) return outcome;
    return isSameRequest(item.call, first.call) ? { ...outcome, replayed: true } : reused;
  });
}

const reused = { refusal: ErrorReason.IDEMPOTENCY_KEY_REUSED } as const;

function outcomeOf<Answer extends object>(
  answer: Answer | ErrorReason | undefined,
): Outcome<Answer> {
  if (answer === undefined) throw new Error("the effect returned too few answers");
  return typeof answer === "object" ? { answer, replayed: false } : { refusal: answer };
}

function replay<Schema extends DescMessage>(
  schema: Schema,
  { call }: { readonly call: KeyedCall },
  earlier: StoredAnswer,
): Outcome<MessageShape<Schema>> {
  if (!isSameRequest(call, earlier)) return reused;
  return { answer: fromBinary(schema, earlier.response), replayed: true };
}

function isSameRequest(
  one: Pick<KeyedCall, "requestHash">,
  other: Pick<KeyedCall, "requestHash">,
): boolean {
  return Buffer.compare(one.requestHash, other.requestHash) === 0;
}

async function keepAnswers<Schema extends DescMessage>(
  transaction: Transaction,
  schema: Schema,
  fresh: readonly { readonly call: KeyedCall }[],
  answers: readonly (MessageShape<Schema> | ErrorReason)[],
): Promise<void> {
  const answered: (KeyedCall & { response: Uint8Array })[] = [];
  const refused: KeyedCall[] = [];
  fresh.forEach(({ call }, index) => {
    const answer = answers[index];
    if (typeof answer !== "object") refused.push(call);
    else answered.push({ ...call, response: toBinary(schema, answer) });
  });
  await storeAnswers(transaction, answered);
  await releaseKeys(transaction, refused);
}
