import assert from "node:assert/strict";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type JsonObject,
  type MessageInitShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { OrderSchema } from "@settle/gen/orders/v1/order_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { assertWholeAfterwards, checkTimeoutMs } from "../checker.ts";
import { createHistory, defaultCurrency as currency } from "../history.ts";
import { routeOf } from "../protocols.ts";
import { grpcRefusal, restRefusal } from "../refusals.ts";
import { type Replica, type ServiceName, type System, startSystem } from "../system.ts";
import { authorizationOf } from "../tokens.ts";

const { createOrder } = OrdersService.method;
const { createAccount, deposit } = PaymentsService.method;
const replayedHeader = "idempotency-replayed";

/** An answer as far as it has to do with its key. */
type Answer = {
  readonly code: number;
  readonly reason: string;
  readonly fields: readonly string[];
  readonly replayed: boolean;
  readonly body: JsonObject | undefined;
};
type Send = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  key: string,
) => Promise<Answer>;

/** The headers of the user whom the request names. */
async function tokenFor(request: object) {
  const { userId = "" } = request as { readonly userId?: string };
  return { authorization: await authorizationOf(userId) };
}

const reused = { code: Code.AlreadyExists, reason: "IDEMPOTENCY_KEY_REUSED", replayed: false };
const badKey = {
  code: Code.InvalidArgument,
  reason: "VALIDATION_FAILED",
  fields: ["idempotency-key"],
  replayed: false,
};

describe("an idempotency key", function () {
  this.timeout(checkTimeoutMs);
  const history = createHistory();
  let system: System;
  let replicas: Readonly<Record<ServiceName, Replica>>;
  let client: Client;

  before(async () => {
    system = await startSystem();
    replicas = await system.startBoth();
    client = new Client(new URL(system.edgeUrl).host, credentials.createInsecure());
  });
  after(async () => {
    client?.close();
    await system?.[Symbol.asyncDispose]();
  });

  const byRest: Send = async (method, request, key) => {
    const json = toJson(method.input, create(method.input, request));
    const { verb, path, rest } = routeOf(method, json);
    const response = await fetch(system.edgeUrl + path, {
      method: verb,
      headers: {
        "content-type": "application/json",
        "idempotency-key": key,
        ...(await tokenFor(request)),
      },
      body: JSON.stringify(rest),
    });
    const replayed = response.headers.get(replayedHeader) === "true";
    const body = (await response.json()) as never;
    if (response.ok) return { code: 0, reason: "", fields: [], replayed, body };
    const { code, reason, fields } = restRefusal(body);
    const status: Record<number, number> = {
      [Code.AlreadyExists]: 409,
      [Code.InvalidArgument]: 400,
      [Code.NotFound]: 404,
    };
    assert.equal(response.status, status[code]);
    return { code, reason, fields, replayed, body: undefined };
  };

  const byGrpc: Send = async (method, request, key) => {
    const metadata = new Metadata();
    metadata.set("idempotency-key", key);
    metadata.set("authorization", (await tokenFor(request)).authorization);
    return new Promise((resolve) => {
      let replayed = false;
      const call = client.makeUnaryRequest(
        `/${method.parent.typeName}/${method.name}`,
        (message) => Buffer.from(toBinary(method.input, message)),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        create(method.input, request),
        metadata,
        (error, message) => {
          const { code, reason, fields } = message
            ? { code: 0, reason: "", fields: [] }
            : grpcRefusal(error as ServiceError);
          const body = message && (toJson(method.output, message) as JsonObject);
          resolve({ code, reason, fields, replayed, body });
        },
      );
      call.on("metadata", (headers) => {
        replayed = headers.get(replayedHeader)[0] === "true";
      });
    });
  };

  const noteOrder = (description: string, { body }: Pick<Answer, "body">) => {
    const order = fromJson(OrderSchema, body ?? assert.fail("no order"));
    const { userId } = order;
    history.orders.push({ userId, amountMinor: 5n, currency, description, outcome: "ok", order });
  };
  const assertHas = (answer: Answer, expected: Partial<Answer>) =>
    assert.deepEqual({ ...answer, ...expected }, answer);

  for (const [protocol, send] of [
    ["REST", byRest],
    ["gRPC", byGrpc],
  ] as const) {
    const amount = { minorUnits: 5n, currency };
    const other = { minorUnits: 6n, currency };

    it(`makes a call take effect once and answers it again, over ${protocol}`, async () => {
      const userId = `user-of-${protocol}`;
      const once: Send = async (method, request, key) => {
        const first = await send(method, request, key);
        assert.equal(first.code, 0, first.reason);
        assert.equal(first.replayed, false);
        assert.deepEqual(await send(method, request, key), { ...first, replayed: true });
        return first;
      };
      // The same for all: keys of different methods have nothing to do with each other.
      const key = `~!{"${"k".repeat(240)}"}\\`;

      await once(createAccount, { userId, currency }, key);
      history.accounts.push({ userId, amountMinor: 0n, currency, outcome: "ok" });
      assertHas(await send(createAccount, { userId, currency: "JPY" }, key), reused);
      await once(deposit, { userId, amount }, key);
      history.deposits.push({ userId, amountMinor: 5n, currency, outcome: "ok" });
      assertHas(await send(deposit, { userId, amount: other }, key), reused);
      const description = `an order by ${protocol}`;
      noteOrder(description, await once(createOrder, { userId, amount, description }, key));
      assertHas(await send(createOrder, { userId, amount: other, description }, key), reused);
    });

    it(`is refused unless it is short and visible ASCII, over ${protocol}`, async () => {
      // The gRPC client itself sends none of the last three.
      const odd = protocol === "REST" ? ["clé", "é", "a\tb"] : [];
      const userId = `nobody-of-${protocol}`;
      for (const key of ["", "a b", "k".repeat(256), ...odd]) {
        assertHas(await send(createAccount, { userId, currency }, key), badKey);
      }
    });

    it(`is not used up by a call that is refused, over ${protocol}`, async () => {
      const userId = `early-${protocol}`;
      const refused = await send(deposit, { userId, amount }, "early");
      assertHas(refused, { code: Code.NotFound, reason: "ACCOUNT_NOT_FOUND", replayed: false });
      assertHas(await send(createAccount, { userId, currency }, "early"), { code: 0 });
      history.accounts.push({ userId, amountMinor: 0n, currency, outcome: "ok" });
      assertHas(await send(deposit, { userId, amount }, "early"), { code: 0, replayed: false });
      history.deposits.push({ userId, amountMinor: 5n, currency, outcome: "ok" });
    });
  }

  it("means the same by whatever protocol it comes", async () => {
    const request = { userId: "polyglot", currency };
    const first = await byRest(createAccount, request, "polyglot");
    history.accounts.push({ ...request, amountMinor: 0n, outcome: "ok" });
    const second = await byGrpc(createAccount, request, "polyglot");
    assertHas(second, { code: 0, replayed: true });
    assert.equal(second.body?.createTime, first.body?.createTime);
  });

  it("lets one of fifty twins on two replicas take effect", async () => {
    const second = await system.start("orders");
    const description = "a twin";
    const token = await tokenFor({ userId: "twins" });
    const request = { userId: "twins", amount: { minorUnits: 5n, currency }, description };
    const body = JSON.stringify(toJson(createOrder.input, create(createOrder.input, request)));
    const twins = Array.from({ length: 50 }, async (_, nth) => {
      const { url } = nth % 2 === 0 ? replicas.orders : second;
      const response = await fetch(`${url}/${OrdersService.typeName}/CreateOrder`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": "twins", ...token },
        body,
      });
      assert.equal(response.status, 200);
      return { replayed: response.headers.get(replayedHeader), body: await response.text() };
    });
    const answers = await Promise.all(twins);
    assert.equal(new Set(answers.map((answer) => answer.body)).size, 1);
    assert.equal(answers.filter(({ replayed }) => replayed === null).length, 1);
    assert.equal(answers.filter(({ replayed }) => replayed === "true").length, 49);
    noteOrder(description, { body: JSON.parse(answers[0]?.body ?? "") });
  });

  it("leaves the system whole", () => assertWholeAfterwards(system, history));
});
