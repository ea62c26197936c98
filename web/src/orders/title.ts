import type { Order } from "@settle/sdk";

/** Returns the description of an order; empty if nothing in it can be seen. */
export function titleOf({ description }: Pick<Order, "description">): string {
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(description) ? description : "";
}
