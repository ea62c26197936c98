import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { HandlerContext } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { refuse } from "@settle/chassis/contract/errors";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import {
  connect,
  createSettle,
  DeadlineExceededError,
  grpc,
  OrderNotCancellableError,
  SettleError,
  UnauthenticatedError,
  UnavailableError,
  ValidationFailedError,
} from "@settle/sdk/node";
import type { Timing } from "@settle/sdk-runtime";
import { signal } from "../../chassis/test/rpc/rpc-setup.ts";
import {
  createTestTiming,
  orderId,
  request,
  setupSdk,
  transports,
  unavailable,
  verifierOf,
} from "./sdk-setup.ts";

const answer = { id: orderId, userId: "alice" };

describe("a call of the SDK", () => {
  for (const [protocol, by] of Object.entries(transports)) {
    describe(`by ${protocol}`, () => {
      it("returns the response and reports its headers", async () => {
        await using sdk = await setupSdk(
          {
            createOrder({ description, amount }, { responseHeader }) {
              responseHeader.set("idempotency-replayed", "true");
              return { ...answer, description, ...(amount && { amount }) };
            },
          },
          { by },
        );
        let replayed: string | null = null;
        const order = await sdk.orders.createOrder(request, {
          onHeaders: (headers) => {
            replayed = headers.get("idempotency-replayed");
          },
        });
        assert.equal(order.id, orderId);
        assert.equal(order.amount?.minorUnits, 250n);
        assert.equal(replayed, "true");
      });

      it("throws the class of the error reason, with all details", async () => {
        await using sdk = await setupSdk(
          {
            cancelOrder() {
              const { ORDER_NOT_CANCELLABLE } = ErrorReason;
              const metadata = { status: "ORDER_STATUS_PAID" };
              throw refuse(Code.FailedPrecondition, ORDER_NOT_CANCELLABLE, "it is paid", {
                metadata,
              });
            },
          },
          { by },
        );
        const error = await failureOf(sdk.orders.cancelOrder({ userId: "alice", orderId }));
        assert.ok(error instanceof OrderNotCancellableError, String(error));
        assert.equal(error.name, "OrderNotCancellableError");
        assert.equal(error.code, Code.FailedPrecondition);
        assert.equal(error.reason, "ORDER_NOT_CANCELLABLE");
        assert.equal(error.message, "it is paid");
        assert.deepEqual(error.metadata, { status: "ORDER_STATUS_PAID" });
        assert.match(error.requestId, /^[0-9a-f-]{36}$/);
        assert.equal(error.retryable, false);
        assert.deepEqual(sdk.pausesMs, []);

        const invalid = await failureOf(sdk.orders.createOrder({ ...request, userId: "" }));
        assert.ok(invalid instanceof ValidationFailedError, String(invalid));
        assert.deepEqual(
          invalid.fieldViolations.map(({ field }) => field),
          ["userId"],
        );
      });

      it("is retried with the same idempotency key until it succeeds, one key per call", async () => {
        const keys: (string | null)[] = [];
        await using sdk = await setupSdk(
          {
            createOrder(_, { requestHeader }) {
              keys.push(requestHeader.get("idempotency-key"));
              if (keys.length < 4) throw unavailable();
              return answer;
            },
          },
          { by },
        );
        await sdk.orders.createOrder(request);
        const [key] = keys;
        assert.match(key ?? "", /^[0-9a-f]{32}$/);
        assert.deepEqual(keys, [key, key, key, key]);
        assert.deepEqual(sdk.pausesMs, [125, 250, 500]);
        await sdk.orders.createOrder(request);
        assert.notEqual(keys.at(-1), key);
        await sdk.orders.createOrder(request, { idempotencyKey: "mine" });
        assert.equal(keys.at(-1), "mine");
      });

      it("waits at least as long as the server asks, and gives up if no time is left", async () => {
        await using sdk = await setupSdk(
          {
            getOrder: () => {
              throw unavailable(3);
            },
          },
          { by },
        );
        const get = (timeoutMs: number) =>
          failureOf(sdk.orders.getOrder({ userId: "alice", orderId }, { timeoutMs }));
        const error = await get(10_000);
        assert.ok(error instanceof UnavailableError);
        assert.equal(error.retryAfterMs, 3_000);
        assert.equal(error.retryable, true);
        assert.deepEqual(sdk.pausesMs, [3_125, 3_250, 3_500]);
        await get(2_000);
        assert.equal(sdk.pausesMs.length, 3);
      });

      it("ends at its deadline, whatever the server does", async () => {
        await using sdk = await setupSdk(
          { getOrder: (_, context) => never(context) },
          { by, timeoutMs: 150 },
        );
        const error = await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
        assert.ok(error instanceof DeadlineExceededError, String(error));
      });

      it("ends with an error whose cause is the reason of its signal, and cancels at the server", async () => {
        const begun = signal();
        const ended = signal();
        await using sdk = await setupSdk(
          {
            async getOrder(_, context) {
              context.signal.addEventListener("abort", () => ended.resolve());
              begun.resolve();
              return never(context);
            },
          },
          { by },
        );
        const stop = new AbortController();
        const call = sdk.orders.getOrder({ userId: "alice", orderId }, { signal: stop.signal });
        await begun.promise;
        const reason = new Error("had enough");
        stop.abort(reason);
        const later = sdk.orders.getOrder({ userId: "alice", orderId }, { signal: stop.signal });
        for (const error of [await failureOf(call), await failureOf(later)]) {
          assert.equal(error.code, Code.Canceled);
          assert.equal(error.cause, reason);
          assert.equal(error.retryable, false);
        }
        await ended.promise;
      });

      it("replaces a refused token once for all calls that share it", async () => {
        let valid = 1;
        let brought = 0;
        const verifier = verifierOf(() => `token-${valid}`);
        const token = async () => {
          await pause(10);
          brought += 1;
          return `token-${brought}`;
        };
        await using sdk = await setupSdk({}, { by, token, verifier });
        const get = () => sdk.orders.getOrder({ userId: "alice", orderId });
        await Promise.all([get(), get(), get()]);
        assert.equal(brought, 1);
        valid = 2;
        await Promise.all([get(), get(), get()]);
        assert.equal(brought, 2);
        valid = 99;
        assert.ok((await failureOf(get())) instanceof UnauthenticatedError);
        assert.equal(brought, 3);
        assert.deepEqual(sdk.pausesMs, []);
      });

      it("fails in time if the server is down", async () => {
        await using sdk = await setupSdk({}, { by });
        await sdk.server.server[Symbol.asyncDispose]();
        const error = await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
        assert.ok(error instanceof UnavailableError, `${error.name} ${error.message}`);
        assert.equal(error.requestId, "");
        // Up to 15 seconds, with pauses of up to 2 seconds, which are halved here.
        const longMs = Array(14).fill(1_000);
        assert.deepEqual(sdk.pausesMs, [125, 250, 500, ...longMs]);
      });

      it("ends when its client is closed", async () => {
        const begun = signal();
        await using sdk = await setupSdk(
          {
            getOrder(_, context) {
              begun.resolve();
              return never(context);
            },
          },
          { by },
        );
        const call = failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
        await begun.promise;
        await sdk.caller[Symbol.asyncDispose]();
        assert.equal((await call).code, Code.Canceled);
        const later = await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
        assert.match(later.message, /the client is closed/);
      });

      it("sends Prefer to wait for the order to settle", async () => {
        const preferences: (string | null)[] = [];
        await using sdk = await setupSdk(
          {
            createOrder(_, { requestHeader }) {
              preferences.push(requestHeader.get("prefer"));
              return answer;
            },
          },
          { by },
        );
        await sdk.orders.createOrder(request);
        await sdk.orders.createOrder(request, { waitS: 5 });
        assert.deepEqual(preferences, [null, "wait=5"]);
      });
    });
  }

  it("is retried after transient errors, including a deadline that was not its own", async () => {
    const passing = [
      refuse(Code.Unavailable, ErrorReason.UNAVAILABLE, "stopping"),
      refuse(Code.ResourceExhausted, ErrorReason.OVERLOADED, "too much"),
      refuse(Code.Aborted, ErrorReason.UNSPECIFIED, "a conflict"),
    ];
    let calls = 0;
    await using sdk = await setupSdk(
      {
        getOrder(_, context) {
          const refusal = passing[calls];
          calls += 1;
          if (refusal) throw refusal;
          return calls === passing.length + 1 ? never(context) : answer;
        },
      },
      { limits: { maxDeadlineMs: 300 }, maxRetries: 10 },
    );
    await sdk.orders.getOrder({ userId: "alice", orderId });
    assert.equal(calls, 5);
  });

  it("respects a retry-after header, as an edge sends it", async () => {
    let calls = 0;
    const limited = async () => {
      calls += 1;
      const headers = { "content-type": "application/json", "retry-after": "2" };
      return new Response(`{"code":"resource_exhausted"}`, { status: 429, headers });
    };
    await using sdk = await setupSdk({}, { by: connect({ fetch: limited }) });
    await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
    assert.equal(calls, 6);
    assert.deepEqual(sdk.pausesMs, [2_125, 2_250, 2_500, 3_000, 3_000]);
  });

  it("is not retried if the client itself refuses the size of a message", async () => {
    let calls = 0;
    await using sdk = await setupSdk(
      {
        getOrder() {
          calls += 1;
          return { ...answer, description: "x".repeat(2_000) };
        },
      },
      { by: grpc({ channel: { "grpc.max_receive_message_length": 1_000 } }) },
    );
    const error = await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
    assert.equal(error.code, Code.ResourceExhausted);
    assert.equal(error.retryable, false);
    assert.equal(calls, 1);
  });

  it("is not retried after permanent errors", async () => {
    const { RESOURCE, ...refusals } = {
      RESOURCE: () => refuse(Code.ResourceExhausted, ErrorReason.REQUEST_TOO_LARGE, "too large"),
      internal: () => refuse(Code.Internal, ErrorReason.INTERNAL, "a fault"),
      notFound: () => refuse(Code.NotFound, ErrorReason.ORDER_NOT_FOUND, "no such order"),
    };
    let calls = 0;
    for (const refusal of [RESOURCE, ...Object.values(refusals)]) {
      await using sdk = await setupSdk({
        getOrder() {
          calls += 1;
          throw refusal();
        },
      });
      await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
    }
    assert.equal(calls, 3);
  });

  it("does not retry errors of a listener or of encoding", async () => {
    await using sdk = await setupSdk({});
    const broken = new TypeError("a listener's own fault");
    const onHeaders = () => {
      throw broken;
    };
    const get = sdk.orders.getOrder({ userId: "alice", orderId }, { onHeaders });
    await assert.rejects(get, broken);
    const unsendable = sdk.orders.createOrder({ ...request, userId: 5 as never });
    assert.equal((await failureOf(unsendable)).code, Code.Internal);
    await assert.rejects(sdk.orders.createOrder(request, { idempotencyKey: "→" }), TypeError);
    assert.deepEqual(sdk.pausesMs, []);
  });

  it("is retried no more often than the client or the call allows", async () => {
    let calls = 0;
    await using sdk = await setupSdk(
      {
        getOrder() {
          calls += 1;
          throw unavailable();
        },
      },
      { maxRetries: 1 },
    );
    await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
    assert.equal(calls, 2);
    await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }, { maxRetries: 0 }));
    assert.equal(calls, 3);
  });

  it("ends in the same way if it is aborted in a pause, and leaves its turn to other calls", async () => {
    let stop = new AbortController();
    const reason = new Error("had enough");
    const pausesMs: number[] = [];
    const timing: Timing = {
      ...createTestTiming(),
      async pause(delayMs, aborted) {
        pausesMs.push(delayMs);
        stop.abort(reason);
        aborted.throwIfAborted();
      },
    };
    const getOrder = () => {
      throw unavailable();
    };
    await using sdk = await setupSdk({ getOrder }, { timing });
    const more = 30;
    for (let call = 0; call < more; call += 1) {
      stop = new AbortController();
      const error = await failureOf(
        sdk.orders.getOrder({ userId: "alice", orderId }, { signal: stop.signal }),
      );
      assert.deepEqual([error.code, error.cause], [Code.Canceled, reason]);
    }
    assert.deepEqual(pausesMs, Array(more).fill(125));
  });

  it("waits for its turn to retry, at a pace that all calls of the client share", async () => {
    let calls = 0;
    const failing = 61;
    await using sdk = await setupSdk(
      {
        getOrder() {
          calls += 1;
          if (calls <= failing) throw unavailable();
          return answer;
        },
      },
      // The clock of the test adds up pauses that overlap.
      { timeoutMs: 1_000_000 },
    );
    const get = () => sdk.orders.getOrder({ userId: "alice", orderId });
    await Promise.all(Array.from({ length: failing }, get));
    assert.equal(calls, 2 * failing);
    const waitingMs = sdk.pausesMs.filter((pauseMs) => pauseMs > 125);
    assert.ok(waitingMs.length > 0, "no retry had to wait for its turn");
  });

  it("throws the error of the token function, and calls it again for the next call", async () => {
    let asked = 0;
    const broken = new Error("not signed in");
    const token = () => {
      asked += 1;
      if (asked === 1) throw broken;
      return "a-token";
    };
    await using sdk = await setupSdk({}, { token });
    await assert.rejects(sdk.orders.getOrder({ userId: "alice", orderId }), broken);
    await sdk.orders.getOrder({ userId: "alice", orderId });
  });

  it("does not wait for a token beyond its deadline", async () => {
    await using sdk = await setupSdk({}, { token: () => new Promise(() => {}), timeoutMs: 50 });
    const error = await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
    assert.ok(error instanceof DeadlineExceededError, String(error));
  });

  it("may have a timeout beyond the range of timers, but not a negative one", async () => {
    for (const by of Object.values(transports)) {
      await using sdk = await setupSdk({ getOrder: () => answer }, { by, token: () => "a-token" });
      const get = (timeoutMs: number) =>
        sdk.orders.getOrder({ userId: "alice", orderId }, { timeoutMs });
      for (const timeoutMs of [2 ** 31, 1e15, Number.POSITIVE_INFINITY]) {
        assert.equal((await get(timeoutMs)).id, orderId);
      }
      for (const timeoutMs of [-1, Number.NaN]) await assert.rejects(get(timeoutMs), RangeError);
    }
  });

  it("needs the URL of a server", () => {
    for (const baseUrl of ["", "localhost:8000", "/gateway", "ftp://localhost"]) {
      assert.throws(() => createSettle({ baseUrl, token: "a-token" }), TypeError, baseUrl);
    }
  });

  it("does not retry with a token that is a fixed string", async () => {
    const verifier = verifierOf(() => "another");
    await using sdk = await setupSdk({}, { verifier });
    const error = await failureOf(sdk.orders.getOrder({ userId: "alice", orderId }));
    assert.ok(error instanceof UnauthenticatedError);
    assert.deepEqual(verifier.shown, ["Bearer a-token"]);
  });
});

async function failureOf(call: Promise<unknown>): Promise<SettleError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof SettleError, String(error));
    return error;
  }
  throw new Error("it did not fail");
}

/** Sends no response until the call ends. */
function never({ signal }: HandlerContext): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
