import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { type CallerTarget, callerAttack, type User } from "../attack.ts";
import { type Protocol, protocols } from "../good-caller.ts";
import { firstData, leave, openSession, send } from "../http2-session.ts";
import { type RawRequest, requestOf } from "../requests.ts";
import { inLanes } from "./lanes.ts";

const pageSize = 1_000;
const concurrency = 4;

/** Lists of 1,000 orders of 1 kB, each left after its first bytes. */
export const leftReads = protocols.map((protocol) =>
  callerAttack({
    name: `left-reads-${protocol.toLowerCase()}`,
    full: { seconds: 15, reads: 300 },
    short: { seconds: 1, reads: 100 },
    size: ({ reads }) => `${reads} lists of 1,000 orders of 1 kB left half way`,
    run: (target, { reads }) => leaveAnswers(target, reads, (user) => [listOrders(protocol, user)]),
  }),
);

/** Watches that start with 1,000 orders of 1 kB, each left after its first bytes. */
export const leftWatches = callerAttack({
  name: "left-watches",
  full: { seconds: 15, reads: 600 },
  short: { seconds: 1, reads: 120 },
  size: ({ reads }) => `${reads} watches of 1,000 orders of 1 kB left half way`,
  run: (target, { reads }) =>
    leaveAnswers(target, reads, (user) =>
      protocols.map((protocol) =>
        requestOf(protocol, OrdersService.method.watchOrders, { userId: user.userId }, user),
      ),
    ),
});

/** Statements of 1,000 entries, each left after its first bytes. */
export const leftStatements = callerAttack({
  name: "left-statements",
  full: { seconds: 15, reads: 600 },
  short: { seconds: 1, reads: 150 },
  size: ({ reads }) => `${reads} statements of 1,000 entries left half way`,
  run: (target, { reads }) =>
    leaveAnswers(target, reads, (user) => {
      const asked = { userId: user.userId, pageSize };
      const { listLedgerEntries } = PaymentsService.method;
      return protocols.map((protocol) => requestOf(protocol, listLedgerEntries, asked, user));
    }),
});

/** The request for all orders of a user. */
export function listOrders(protocol: Protocol, user: User): RawRequest {
  const asked = { userId: user.userId, pageSize };
  return requestOf(protocol, OrdersService.method.listOrders, asked, user);
}

async function leaveAnswers(
  target: CallerTarget,
  reads: number,
  requestsOf: (user: User) => readonly RawRequest[],
) {
  const requests = requestsOf(target.users[0] as User);
  let session = openSession(target);
  let left = 0;
  await inLanes(reads, concurrency, async (index) => {
    if (session.closed || session.destroyed) session = openSession(target);
    const stream = send(session, requests[index % requests.length] as RawRequest);
    if (await firstData(stream)) left += 1;
    leave(stream);
  });
  session.destroy();
  return { left, "without data": reads - left };
}
