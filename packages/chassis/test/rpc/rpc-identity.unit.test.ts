import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { OrdersService, type WatchOrdersResponse } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";
import { refuseOverQuota } from "../../src/contract/errors.ts";
import { createAccessCheck } from "../../src/identity/access.ts";
import { principalOf } from "../../src/identity/principal.ts";
import { expired, type TokenVerifier } from "../../src/identity/token-verifier.ts";
import { type Orders, orderId, orderRequest, protocols, setup, Ticker } from "./rpc-setup.ts";

/** Lets in whom the header names, with these scopes: `alice admin`. */
const byName: TokenVerifier = {
  verify(authorization) {
    const [userId, ...scopes] = authorization?.split(" ") ?? [];
    if (!userId) throw expired();
    return { userId, scopes: new Set(scopes), expireTimeMs: Date.now() + 3_600_000 };
  },
};

const quota = "writes_per_second";

for (const protocol of protocols) {
  describe(`the caller by ${protocol}`, () => {
    const as = (authorization: string) => ({ headers: { authorization } });
    const outcomeOf = async (call: Promise<unknown>) => {
      const error = await call.then(() => undefined, ConnectError.from);
      return error ? error.findDetails(ErrorInfoSchema)[0]?.reason : "ok";
    };

    it("must be authenticated and authorised before the handler runs", async () => {
      const seen: string[] = [];
      const orders: Partial<Orders> = {
        getOrder: ({ userId }, context) => {
          seen.push(principalOf(context).userId);
          return { userId };
        },
      };
      await using bundle = await setup({ orders, verifier: byName });
      const { createOrder, getOrder } = bundle.orders(protocol);
      const order = { userId: "alice", orderId };
      assert.equal(await outcomeOf(getOrder(order)), "UNAUTHENTICATED");
      assert.equal(await outcomeOf(getOrder(order, as("bob"))), "PERMISSION_DENIED");
      assert.equal(await outcomeOf(getOrder(order, as("bob deposit"))), "PERMISSION_DENIED");
      assert.deepEqual(seen, []);
      assert.equal(await outcomeOf(getOrder(order, as("alice"))), "ok");
      assert.equal(await outcomeOf(getOrder(order, as("bob admin"))), "ok");
      assert.deepEqual(seen, ["alice", "bob"]);
      // An admin reads for others and does not order for them.
      assert.equal(
        await outcomeOf(createOrder(orderRequest, as("bob admin"))),
        "PERMISSION_DENIED",
      );
    });

    it("takes from its own quota with each permitted call that changes data", async () => {
      const taken: string[] = [];
      const writeQuota = {
        take(userId: string) {
          if (taken.length === 2) throw refuseOverQuota({ quota, limit: 2, retryAfterMs: 1 }, "no");
          taken.push(userId);
        },
      };
      let placed = 0;
      const orders: Partial<Orders> = {
        createOrder: ({ userId }) => {
          placed += 1;
          return { userId };
        },
      };
      await using bundle = await setup({ orders, verifier: byName, writeQuota });
      const { createOrder, cancelOrder, getOrder, listOrders } = bundle.orders(protocol);
      const order = { userId: "alice", orderId };
      assert.equal(await outcomeOf(getOrder(order, as("alice"))), "ok");
      assert.equal(await outcomeOf(listOrders(order, as("bob admin"))), "ok");
      assert.equal(await outcomeOf(createOrder(orderRequest, as("bob"))), "PERMISSION_DENIED");
      assert.equal(await outcomeOf(createOrder({}, as("alice"))), "VALIDATION_FAILED");
      assert.deepEqual(taken, []);
      assert.equal(await outcomeOf(createOrder(orderRequest, as("alice"))), "ok");
      assert.equal(await outcomeOf(cancelOrder(order, as("alice"))), "ok");
      assert.equal(await outcomeOf(createOrder(orderRequest, as("alice"))), "QUOTA_EXCEEDED");
      assert.deepEqual([taken, placed], [["alice", "alice"], 1]);
      assert.equal(await outcomeOf(getOrder(order, as("alice"))), "ok");
    });

    it("gets the end of a stream as its last message when the token expires", async () => {
      const orders: Partial<Orders> = {
        async *watchOrders(_, { signal }) {
          yield { revision: 1n, event: { case: "heartbeat", value: {} } };
          await new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          });
        },
      };
      const verifier: TokenVerifier = {
        verify: () => ({ userId: "alice", scopes: new Set(), expireTimeMs: Date.now() + 50 }),
      };
      await using bundle = await setup({ orders, verifier });
      const answers: WatchOrdersResponse["event"][] = [];
      const watching = (async () => {
        for await (const answer of bundle.orders(protocol).watchOrders({ userId: "alice" })) {
          answers.push(answer.event);
        }
      })();
      const error = await watching.then(() => undefined, ConnectError.from);
      assert.equal(error?.code, Code.Unauthenticated);
      const [first, last] = answers;
      assert.equal(first?.case, "heartbeat");
      assert.ok(last?.case === "end");
      assert.equal(last.value.reason, ErrorReason.UNAUTHENTICATED);
      assert.equal(last.value.message, error.rawMessage);
    });

    it("gets a plain error when the stream cannot begin", async () => {
      await using bundle = await setup({ verifier: byName });
      const watch = bundle.orders(protocol).watchOrders({ userId: "alice" }, as("bob"));
      const watching = (async () => {
        for await (const _ of watch) assert.fail("an answer");
      })();
      assert.equal(await outcomeOf(watching), "PERMISSION_DENIED");
    });

    it("gets the end of a stream at once when the server stops", async () => {
      const orders: Partial<Orders> = {
        async *watchOrders() {
          yield { revision: 1n, event: { case: "heartbeat", value: {} } };
          await new Promise(() => {});
        },
      };
      // Longer than the test may take: it is not this that ends the stream.
      await using bundle = await setup({ orders, limits: { abortAfterMs: 60_000 } });
      const reasons: unknown[] = [];
      let stopping: PromiseLike<void> | undefined;
      const watching = (async () => {
        for await (const { event } of bundle.orders(protocol).watchOrders({ userId: "alice" })) {
          reasons.push(event.case === "end" ? event.value.reason : event.case);
          stopping ??= bundle.server[Symbol.asyncDispose]();
        }
      })();
      assert.equal(await outcomeOf(watching), "UNAVAILABLE");
      assert.deepEqual(reasons, ["heartbeat", ErrorReason.UNAVAILABLE]);
      await stopping;
    });
  });
}

describe("the policy of a method", () => {
  const everyMethod = [...OrdersService.methods, ...PaymentsService.methods];

  it("is declared by every method of the contract", () => {
    createAccessCheck(everyMethod);
  });

  it("is required, and must permit someone", () => {
    const [tick] = Ticker.methods;
    assert.ok(tick);
    createAccessCheck([tick]);
    const { options: _, ...withoutOptions } = tick.proto;
    const bare = { ...tick, proto: withoutOptions };
    assert.throws(() => createAccessCheck([bare]), /Ticker\/Tick has no option errors.v1.access/);
  });

  it("can exclude owners by the service's configuration", () => {
    const { deposit } = PaymentsService.method;
    const request = create(deposit.input, { userId: "alice" });
    const alice = { userId: "alice", scopes: new Set<string>(), expireTimeMs: 0 };
    createAccessCheck(everyMethod)(deposit, alice, request);
    const strict = createAccessCheck(everyMethod, new Set([deposit]));
    assert.throws(() => strict(deposit, alice, request), /the scope deposit/);
    strict(deposit, { ...alice, userId: "till", scopes: new Set(["deposit"]) }, request);
  });
});
