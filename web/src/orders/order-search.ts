import type { MoneyValue, Order } from "@settle/sdk";

const orderId = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;
/** Shorter texts occur in most ids by chance. */
const minIdCharacters = 4;

/** Returns the order id in a text, which may be pasted with its surroundings, such as an address. */
export function orderIdIn(text: string): string | undefined {
  return orderId.exec(text)?.[0].toLowerCase();
}

/** What is searched of an order. */
type Searched = Pick<Order, "id" | "description"> & { readonly amount?: MoneyValue | undefined };

/**
 * Returns whether an order contains all words of the text: in its description, in its amount as
 * `money` formats it, or in its id. Case does not count, nor do the two dots of the Russian ё.
 */
export function searchFor(
  text: string,
  money: (sum: MoneyValue) => string,
): (order: Searched) => boolean {
  // An id is also shown in short, as …1a2b; NFKC makes three dots of the ellipsis.
  const words = plain(text)
    .split(" ")
    .map((word) => word.replace(/^(\.{3}|#)/, ""));
  // The list is searched anew for each live change.
  const texts = new WeakMap<Searched, string>();
  const textOf = (order: Searched) => {
    const { description, amount } = order;
    const known = texts.get(order) ?? plain(`${description} ${amount ? money(amount) : ""}`);
    texts.set(order, known);
    return known;
  };
  return (order) =>
    words.every(
      (word) =>
        textOf(order).includes(word) || (word.length >= minIdCharacters && order.id.includes(word)),
    );
}

/** Without differences that a reader does not see, such as between kinds of spaces. */
const plain = (text: string) =>
  text.normalize("NFKC").toLowerCase().replaceAll("ё", "е").replaceAll(/\s+/g, " ").trim();
