/**
 * A map that remembers at least the `minSize` keys that were used last, and at most twice as many. It
 * has two generations: what is used moves to the young one. When that is full it becomes the old
 * one, and the one before is forgotten. So to use a recent key costs one look-up.
 */
export class RecentMap<Key, Value> {
  readonly #minSize: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(minSize: number) {
    this.#minSize = minSize;
  }

  /** Returns the value of the key; `create` makes one if there is none. */
  use(key: Key, create: () => Value): Value {
    const known = this.#young.get(key);
    if (known !== undefined) return known;
    const value = this.#old.get(key) ?? create();
    if (this.#young.size >= this.#minSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
    return value;
  }
}
