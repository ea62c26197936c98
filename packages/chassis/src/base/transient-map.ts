/**
 * A map from numbers for entries that come and go all the time, such as calls in progress.
 *
 * V8 replaces the table of a `Map` or `Set` as entries come and go, and each old table refers to the
 * next one and to the entries that it had. Once one table has reached the old generation, so does
 * everything that is ever an entry while a table is replaced: under load nearly all garbage of the
 * service, where it is only collected with the whole heap. This map keeps its entries in an object
 * instead, whose old tables refer to nothing. Values that are plain numbers or strings need no such
 * care.
 *
 * Has the methods of `Map` that Node uses for the streams of an HTTP/2 session.
 */
export class TransientMap<Value> {
  readonly #entries: Record<number, Value> = Object.create(null);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): Value | undefined {
    return this.#entries[key];
  }

  set(key: number, value: Value): this {
    if (!(key in this.#entries)) this.#size += 1;
    this.#entries[key] = value;
    return this;
  }

  delete(key: number): boolean {
    if (!(key in this.#entries)) return false;
    delete this.#entries[key];
    this.#size -= 1;
    return true;
  }

  /** Returns the keys in their order. */
  keys(): number[] {
    return Object.keys(this.#entries).map(Number);
  }

  /** Returns the values in the order of their keys. */
  values(): Value[] {
    return Object.values(this.#entries);
  }

  forEach(visit: (value: Value) => void): void {
    this.values().forEach(visit);
  }
}
