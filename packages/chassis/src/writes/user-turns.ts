/**
 * A queue that serves its users in turn, so that nobody waits behind all the entries of another.
 * Entries of one user keep their order. Each operation takes constant time per entry,
 * except `longest`, which looks at every user.
 */
export type UserTurns<Entry> = {
  readonly size: number;
  sizeOf(user: string): number;
  push(user: string, entry: Entry): void;
  /** Adds the entry ahead of the others of its user. */
  putBack(user: string, entry: Entry): void;
  /** Removes up to `max` entries, one of each user in turn. */
  take(max: number): Entry[];
  /** The user with most entries, and how many these are; undefined if the queue is empty. */
  longest(): { readonly user: string; readonly size: number } | undefined;
  /** Removes the last entry of the user. */
  takeLastOf(user: string): Entry | undefined;
  /** Removes all entries of the user. */
  takeAllOf(user: string): Entry[];
};

/**
 * Creates an empty queue. With `order: "random"`, each entry that is taken is the first one of a
 * random user; that takes time in proportion to the number of users.
 */
export function createUserTurns<Entry>(order: "in turn" | "random" = "in turn"): UserTurns<Entry> {
  // A map keeps the order in which keys were added: the next user to serve is its first key.
  let entriesOf = new Map<string, Entry[]>();
  let size = 0;

  const listOf = (user: string) => {
    let entries = entriesOf.get(user);
    if (!entries) {
      entries = [];
      entriesOf.set(user, entries);
    }
    size += 1;
    return entries;
  };
  const takeFirstOf = (user: string, entries: Entry[], taken: Entry[]) => {
    taken.push(entries.shift() as Entry);
    size -= 1;
    entriesOf.delete(user);
    if (entries.length > 0) entriesOf.set(user, entries);
  };
  const takeRandom = (taken: Entry[]) => {
    const users = [...entriesOf.keys()];
    const user = users[Math.floor(Math.random() * users.length)] as string;
    takeFirstOf(user, entriesOf.get(user) as Entry[], taken);
  };

  return {
    get size() {
      return size;
    },
    sizeOf: (user) => entriesOf.get(user)?.length ?? 0,
    push(user, entry) {
      listOf(user).push(entry);
    },
    putBack(user, entry) {
      listOf(user).unshift(entry);
    },
    take(max) {
      const taken: Entry[] = [];
      if (order === "random") {
        while (taken.length < max && size > 0) takeRandom(taken);
        return taken;
      }
      // A user with more entries is added again at the end, where this loop comes to it again.
      for (const [user, entries] of entriesOf) {
        if (taken.length >= max) break;
        takeFirstOf(user, entries, taken);
      }
      // The old tables of a map refer to its later ones; see TransientMap.
      if (size === 0) entriesOf = new Map();
      return taken;
    },
    longest() {
      let found: { user: string; size: number } | undefined;
      for (const [user, { length }] of entriesOf) {
        if (length > (found?.size ?? 0)) found = { user, size: length };
      }
      return found;
    },
    takeLastOf(user) {
      const entries = entriesOf.get(user);
      const last = entries?.pop();
      if (last !== undefined) size -= 1;
      if (entries?.length === 0) entriesOf.delete(user);
      return last;
    },
    takeAllOf(user) {
      const entries = entriesOf.get(user) ?? [];
      entriesOf.delete(user);
      size -= entries.length;
      return entries;
    },
  };
}
