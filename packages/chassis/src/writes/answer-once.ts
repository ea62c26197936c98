import {
  type DescMessage,
  fromBinary,
  isMessage,
  type Message,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import type { Transaction } from "../database/database.ts";
import {
  checkUnused,
  findAnswers,
  identityOf,
  type KeyedCall,
  type StoredAnswer,
  storeAnswers,
} from "./idempotency.ts";

/** Why a call is refused, with metadata for programs. The caller sees both. */
export type Refused = {
  readonly refusal: ErrorReason;
  readonly metadata?: Readonly<Record<string, string>>;
};

/** The result of a call: a refusal, or an answer, possibly replayed from an earlier call. */
export type Outcome<Answer> = { readonly answer: Answer; readonly replayed: boolean } | Refused;

/** What an effect returns for a call. A reason alone is a refusal without metadata. */
type Effect<Schema extends DescMessage> = MessageShape<Schema> | Refused | ErrorReason;

/**
 * Lets each call of a batch take effect at most once per idempotency key, all in `transaction`.
 *
 * `effect` is called with the new calls and returns for each, in order, its answer or its refusal.
 * An answer is stored together with the effect. A refusal is not stored, so the same call may
 * succeed later. A call whose key already has an answer gets that answer again. If a concurrent
 * transaction stores an answer under one of the keys first, this one is undone and retried. A call that shares
 * its key with another call of this batch gets the result of that call. If the requests differ,
 * both cases are refused with IDEMPOTENCY_KEY_REUSED.
 */
export async function answerOnce<
  Item extends { readonly call: KeyedCall },
  Schema extends DescMessage,
>(
  transaction: Transaction,
  schema: Schema,
  items: readonly Item[],
  effect: (fresh: readonly Item[]) => Promise<readonly Effect<Schema>[]>,
): Promise<readonly Outcome<MessageShape<Schema>>[]> {
  const firsts = new Map<string, Item>();
  for (const item of items) {
    const identity = identityOf(item.call);
    if (!firsts.has(identity)) firsts.set(identity, item);
  }
  const claimants = [...firsts.values()];
  const stored = await findAnswers(
    transaction,
    claimants.map((item) => item.call),
  );
  const fresh = claimants.filter((_, index) => !stored[index]);
  const answers = fresh.length > 0 ? await effect(fresh) : [];
  const outcomes = new Map(
    fresh.map((item, index) => [item, outcomeOf<Schema>(answers[index])] as const),
  );
  await keepAnswers(transaction, schema, outcomes);
  const earlier = new Map(claimants.map((item, index) => [item, stored[index]] as const));
  return items.map((item) => {
    const first = firsts.get(identityOf(item.call)) ?? item;
    const answered = earlier.get(first);
    if (answered) return replay(schema, item, answered);
    const outcome = outcomes.get(first) ?? reused;
    if (item === first) return outcome;
    // The result of a different request, even a refusal, does not answer this one.
    if (!isSameRequest(item.call, first.call)) return reused;
    return "refusal" in outcome ? outcome : { ...outcome, replayed: true };
  });
}

const reused = { refusal: ErrorReason.IDEMPOTENCY_KEY_REUSED } as const;

function outcomeOf<Schema extends DescMessage>(
  effect: Effect<Schema> | undefined,
): Outcome<MessageShape<Schema>> {
  if (effect === undefined) throw new Error("the effect returned too few answers");
  if (typeof effect === "number") return { refusal: effect };
  return isRefused(effect) ? effect : { answer: effect, replayed: false };
}

function isRefused(effect: Message | Refused): effect is Refused {
  return !isMessage(effect);
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
  outcomes: ReadonlyMap<{ readonly call: KeyedCall }, Outcome<MessageShape<Schema>>>,
): Promise<void> {
  const answered: (KeyedCall & { response: Uint8Array })[] = [];
  const refused: KeyedCall[] = [];
  for (const [{ call }, outcome] of outcomes) {
    if ("refusal" in outcome) refused.push(call);
    else answered.push({ ...call, response: toBinary(schema, outcome.answer) });
  }
  await storeAnswers(transaction, answered);
  // Such a call may be refused for the effect of its own first try, committed meanwhile.
  await checkUnused(transaction, refused);
}
