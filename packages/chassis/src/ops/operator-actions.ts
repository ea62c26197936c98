import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ListOperatorActionsRequest,
  type ListOperatorActionsResponse,
  ListOperatorActionsResponseSchema,
} from "@settle/gen/ops/v1/dead_letters_pb";
import type { Database, Transaction } from "../database/database.ts";
import { pageOf, readPage } from "../rpc/page-token.ts";

/** The table of what operators have done, for a migration of a service. */
export const operatorActionsTable = `
  CREATE TABLE operator_actions (
    id uuid PRIMARY KEY,
    actor text NOT NULL,
    action text NOT NULL,
    reason text NOT NULL,
    create_time timestamptz NOT NULL,
    request jsonb NOT NULL,
    changed_count integer NOT NULL,
    failed_count integer NOT NULL
  );
`;

/** An action of an operator. */
export type Action = {
  readonly id: string;
  readonly actor: string;
  /** The name of the method. */
  readonly name: string;
  readonly reason: string;
  readonly timeMs: number;
  /** The request as JSON. */
  readonly request: unknown;
};

/**
 * Records the action in the transaction that changes what it is about. An action with several
 * transactions is one row, whose counts grow.
 */
export async function recordAction(
  { query }: Transaction,
  { id, actor, name, reason, timeMs, request }: Action,
  { changed, failed }: { readonly changed: number; readonly failed: number },
): Promise<void> {
  await query(
    `INSERT INTO operator_actions AS a
       (id, actor, action, reason, create_time, request, changed_count, failed_count)
     VALUES ($1, $2, $3, $4, to_timestamp($5 / 1000.0), $6::jsonb, $7, $8)
     ON CONFLICT (id) DO UPDATE SET changed_count = a.changed_count + excluded.changed_count,
       failed_count = a.failed_count + excluded.failed_count`,
    [id, actor, name, reason.replaceAll("\0", ""), timeMs, textOf(request), changed, failed],
  );
}

/** Returns a page of actions, newest first. */
export async function listActions(
  database: Pick<Database, "read">,
  paging: ListOperatorActionsRequest,
): Promise<ListOperatorActionsResponse> {
  const scope = "ListOperatorActions";
  const { messages, nextPageToken } = await pageOf({
    scope,
    page: readPage(scope, /^[0-9a-f-]{36}$/, paging),
    read: ({ limit, after }) =>
      database.read<ActionRow>(
        `SELECT id, actor, action, reason, request, changed_count, failed_count,
                (extract(epoch FROM create_time) * 1000)::bigint AS created_ms
         FROM operator_actions WHERE $1::uuid IS NULL OR id < $1
         ORDER BY id DESC LIMIT ${limit + 1}`,
        [after ?? null],
      ),
    positionOf: ({ id }) => id,
    messageOf: (row) => ({
      id: row.id,
      actor: row.actor,
      action: row.action,
      reason: row.reason,
      createTime: timestampFromMs(Number(row.created_ms)),
      request: row.request,
      changedCount: row.changed_count,
      failedCount: row.failed_count,
    }),
    bytesOf: ({ request }) => 400 + JSON.stringify(request).length,
  });
  return create(ListOperatorActionsResponseSchema, { actions: messages, nextPageToken });
}

type ActionRow = {
  readonly id: string;
  readonly actor: string;
  readonly action: string;
  readonly reason: string;
  readonly created_ms: string;
  readonly request: Record<string, never>;
  readonly changed_count: number;
  readonly failed_count: number;
};

function textOf(request: unknown): string {
  return JSON.stringify(request).replaceAll("\\u0000", "");
}
