import type { Database } from "@settle/chassis/database/database";
import type { Page } from "@settle/chassis/rpc/page-token";
import type { LedgerEntryKind } from "@settle/gen/payments/v1/account_pb";
import type { StoredEntry } from "./ledger.entity.ts";

/**
 * Reads the ledger entries of the user's account, newest first: those of the page and one more. They
 * are read as rows, because entities would cost five times as much.
 */
export async function listEntries(
  database: Database,
  userId: string,
  { limit, after }: Page,
): Promise<readonly StoredEntry[]> {
  const rows = await database.read<{
    movement_id: string;
    kind: LedgerEntryKind;
    amount_minor: string;
    currency: string;
    sequence: string;
    balance_after_minor: string;
    order_id: string | null;
    created_ms: string;
  }>(
    `SELECT movement_id, kind, amount_minor, currency, sequence, balance_after_minor, order_id,
            (extract(epoch FROM create_time) * 1000)::bigint AS created_ms
     FROM ledger_entries
     WHERE account = $1 AND sequence ${after === undefined ? "IS NOT NULL" : "< $2"}
     ORDER BY sequence DESC LIMIT ${limit + 1}`,
    after === undefined ? [userId] : [userId, after],
  );
  return rows.map((row) => ({
    movementId: row.movement_id,
    kind: row.kind,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    sequence: BigInt(row.sequence),
    balanceAfterMinor: BigInt(row.balance_after_minor),
    orderId: row.order_id,
    createTime: new Date(Number(row.created_ms)),
  }));
}
