import { create, type DescMessage, fromBinary, type JsonObject, toJson } from "@bufbuild/protobuf";
import { Code, type HandlerContext } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import {
  DeadLetterActionResultSchema,
  DeadLetterContentSchema,
  type DeadLetterSelection,
  DeadLetterSelectionSchema,
  DeadLetterState,
  type DiscardDeadLettersRequest,
  type GetDeadLetterRequest,
  type GroupDeadLettersRequest,
  GroupDeadLettersResponseSchema,
  type ListDeadLettersRequest,
  ListDeadLettersResponseSchema,
  type ListOperatorActionsRequest,
  type ParkDeadLettersRequest,
  type RedriveDeadLettersRequest,
} from "@settle/gen/ops/v1/dead_letters_pb";
import { refuse } from "../contract/errors.ts";
import { principalOf } from "../identity/principal.ts";
import { pageOf, readPage } from "../rpc/page-token.ts";
import { type ActionResult, createDeadLetterActions } from "./dead-letter-actions.ts";
import {
  filterValues,
  letterMessage,
  readGroups,
  readLetter,
  readLetters,
} from "./dead-letter-rows.ts";
import { type Action, listActions } from "./operator-actions.ts";

/** About how many bytes a dead letter has as protobuf, besides its texts. */
const usualBytes = 200;

/** The handlers for dead letters and for the list of actions, which every ops service has. */
export function deadLetterHandlers<Schema extends DescMessage>(
  options: Parameters<typeof createDeadLetterActions<Schema>>[0],
) {
  const { database, clock, newId } = options;
  const schemas = new Map<string, DescMessage>(
    options.schemas.map((schema) => [schema.typeName, schema]),
  );
  const actions = createDeadLetterActions(options);
  const act = async (
    { name, reason, selection = create(DeadLetterSelectionSchema), more = {} }: Asked,
    context: HandlerContext,
    run: (selection: DeadLetterSelection, action: Action) => Promise<ActionResult>,
  ) => {
    const action = {
      id: newId(),
      actor: principalOf(context).userId,
      name,
      reason,
      timeMs: clock.nowMs(),
      request: { selection: toJson(DeadLetterSelectionSchema, selection), ...more },
    };
    return create(DeadLetterActionResultSchema, {
      actionId: action.id,
      ...(await run(selection, action)),
    });
  };
  const eventOf = (type: string, body: Uint8Array): JsonObject | undefined => {
    const schema = schemas.get(type);
    if (!schema) return undefined;
    try {
      return toJson(schema, fromBinary(schema, body)) as JsonObject;
    } catch {
      return undefined;
    }
  };

  return {
    async listDeadLetters(request: ListDeadLettersRequest) {
      const scope = `ListDeadLetters ${JSON.stringify(filterValues(request))}`;
      const { messages, nextPageToken } = await pageOf({
        scope,
        page: readPage(scope, /^[0-9a-f-]{36}$/, request),
        read: (page) => readLetters(database, request, page),
        positionOf: ({ id }) => id,
        messageOf: letterMessage,
        bytesOf: ({ reason, type }) => usualBytes + reason.length + type.length,
      });
      return create(ListDeadLettersResponseSchema, { deadLetters: messages, nextPageToken });
    },
    async groupDeadLetters({ state }: GroupDeadLettersRequest) {
      return create(
        GroupDeadLettersResponseSchema,
        await readGroups(database, state || DeadLetterState.OPEN),
      );
    },
    async getDeadLetter({ id }: GetDeadLetterRequest) {
      const row = await readLetter(database, id);
      if (!row) {
        const reason = ErrorReason.DEAD_LETTER_NOT_FOUND;
        throw refuse(Code.NotFound, reason, `there is no dead letter ${id}`);
      }
      const event = eventOf(row.type, row.body);
      return create(DeadLetterContentSchema, {
        deadLetter: letterMessage(row),
        ...(event && { event }),
        headers: row.headers,
        body: row.body,
      });
    },
    redriveDeadLetters: (request: RedriveDeadLettersRequest, context: HandlerContext) => {
      const { maxPerSecond } = request;
      const asked = { name: "RedriveDeadLetters", ...request, more: { maxPerSecond } };
      return act(asked, context, (...on) => actions.redrive(...on, maxPerSecond));
    },
    parkDeadLetters: (request: ParkDeadLettersRequest, context: HandlerContext) =>
      act({ name: "ParkDeadLetters", ...request }, context, actions.park),
    discardDeadLetters: (request: DiscardDeadLettersRequest, context: HandlerContext) =>
      act({ name: "DiscardDeadLetters", ...request }, context, actions.discard),
    listOperatorActions: (request: ListOperatorActionsRequest) => listActions(database, request),
  };
}

type Asked = {
  readonly name: string;
  readonly reason: string;
  readonly selection?: DeadLetterSelection | undefined;
  /** Other fields of the request, for the list of actions. */
  readonly more?: JsonObject;
};
