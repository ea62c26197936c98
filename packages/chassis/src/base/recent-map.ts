/** A map of bounded size that forgets what has not been used for the longest time. */
export class RecentMap<Key, Value> {
  readonly #maxSize: number;
  readonly #entries = new Map<Key, Value>();

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** Returns the value of the key; `create` makes one if there is none. */
  use(key: Key, create: () => Value): Value {
    const value = this.#entries.get(key) ?? create();
    // A map keeps the order of insertion, so the first key is the least recently used one.
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#maxSize) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    return value;
  }
}
