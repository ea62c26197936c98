import type { Pool } from "pg";

/** Orders that are removed from their database for a while, so that their events come too early. */
export type MislaidOrders = {
  has(orderId: string): boolean;
  /** Removes the order; while one is removed, this only restores it. */
  mislay(orderId: string): Promise<void>;
  /** Restores the removed order unchanged. */
  findAgain(): Promise<void>;
};

/** Creates the store; `tell` is called when an order is removed or restored. */
export function createMislaidOrders(
  database: Pool,
  tell: (orderId: string, what: string) => void,
): MislaidOrders {
  const rowOf = new Map<string, unknown>();
  const findAgain = async () => {
    for (const [id, row] of rowOf) {
      tell(id, "is found again");
      await database.query(
        "INSERT INTO orders SELECT * FROM jsonb_populate_record(NULL::orders, $1)",
        [row],
      );
      rowOf.delete(id);
    }
  };
  return {
    has: (orderId) => rowOf.has(orderId),
    async mislay(orderId) {
      if (rowOf.size > 0) return findAgain();
      tell(orderId, "is mislaid");
      const { rows } = await database.query(
        `WITH gone AS (DELETE FROM orders WHERE id = $1 RETURNING *)
         SELECT to_jsonb(gone) AS row FROM gone`,
        [orderId],
      );
      rowOf.set(orderId, rows[0]?.row);
    },
    findAgain,
  };
}
