import assert from "node:assert/strict";
import { Code, type HandlerContext } from "@connectrpc/connect";
import { refuse } from "@settle/chassis/contract/errors";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import type { WatchOrdersChange } from "@settle/gen-sdk/orders";
import {
  PermissionDeniedError,
  TooManyStreamsError,
  UnauthenticatedError,
  UnavailableError,
  type Watch,
} from "@settle/sdk";
import fc from "fast-check";
import { signal } from "../../chassis/test/rpc/rpc-setup.ts";
import { setupSdk, transports, unavailable, verifierOf } from "./sdk-setup.ts";

const userId = "alice";
const orderAt = (revision: bigint) => ({
  revision,
  event: { case: "order" as const, value: { id: `order-${revision}`, userId, revision } },
});
const heartbeatAt = (revision: bigint) => ({
  revision,
  event: { case: "heartbeat" as const, value: {} },
});
const endFor = (reason: ErrorReason) => ({
  revision: 0n,
  event: { case: "end" as const, value: { reason, message: "the end" } },
});

describe("a watch of the SDK", () => {
  for (const [protocol, by] of Object.entries(transports)) {
    describe(`by ${protocol}`, () => {
      it("yields changes, and heartbeats only on request", async () => {
        await using sdk = await setupSdk(
          {
            async *watchOrders(_, context) {
              yield orderAt(1n);
              yield heartbeatAt(1n);
              yield orderAt(2n);
              await until(context);
            },
          },
          { by },
        );
        await using watch = sdk.orders.watchOrders({ userId });
        assert.deepEqual(await take(watch, 2), ["order-1 at 1", "order-2 at 2"]);
        assert.equal(watch.revision, 2n);
        await using beating = sdk.orders.watchOrders({ userId }, { heartbeats: true });
        const kinds: string[] = [];
        for await (const { kind, revision } of beating) {
          kinds.push(`${kind} ${revision}`);
          if (kinds.length === 3) break;
        }
        assert.deepEqual(kinds, ["order 1", "heartbeat 1", "order 2"]);
      });

      it("resumes from the last revision after any interruption", async () => {
        const asked: bigint[] = [];
        const cuts: string[] = [];
        await using sdk = await setupSdk(
          {
            async *watchOrders({ afterRevision }, context) {
              asked.push(afterRevision);
              if (asked.length === 3) throw unavailable();
              yield orderAt(afterRevision + 1n);
              yield heartbeatAt(afterRevision + 4n);
              if (asked.length === 1) throw refuse(Code.Internal, ErrorReason.INTERNAL, "a fault");
              if (asked.length === 2) return;
              await until(context);
            },
          },
          { by },
        );
        const onCut = (error: Error, delayMs: number) => cuts.push(`${error.name} ${delayMs}`);
        await using watch = sdk.orders.watchOrders({ userId, afterRevision: 7n }, { onCut });
        assert.deepEqual(await take(watch, 3), [
          "order-8 at 8",
          "order-12 at 12",
          "order-16 at 16",
        ]);
        assert.deepEqual(asked, [7n, 11n, 15n, 15n]);
        assert.deepEqual(cuts, [
          "InternalError 125",
          "UnavailableError 250",
          "UnavailableError 500",
        ]);
        assert.deepEqual(sdk.pausesMs, [125, 250, 500]);
      });

      it("reopens a stream that falls silent", async () => {
        let silences = 0;
        await using sdk = await setupSdk(
          {
            async *watchOrders({ afterRevision }, context) {
              if (afterRevision === 0n) yield heartbeatAt(5n);
              else if (silences > 0) yield orderAt(afterRevision + 1n);
              else silences += 1;
              await until(context);
            },
          },
          { by, silenceMs: 100 },
        );
        await using watch = sdk.orders.watchOrders({ userId });
        assert.deepEqual(await take(watch, 1), ["order-6 at 6"]);
        assert.equal(silences, 1);
      });

      it("gets a new token when the old one has expired, and ends if that is refused as well", async () => {
        let valid = "token-1";
        let brought = 0;
        const verifier = verifierOf(() => valid);
        const token = () => {
          brought += 1;
          return `token-${brought}`;
        };
        await using sdk = await setupSdk(
          {
            async *watchOrders({ afterRevision }) {
              yield orderAt(afterRevision + 1n);
              if (afterRevision === 1n) valid = "none";
              else valid = "token-2";
              yield endFor(ErrorReason.UNAUTHENTICATED);
              throw refuse(Code.Unauthenticated, ErrorReason.UNAUTHENTICATED, "it has ended");
            },
          },
          { by, token, verifier },
        );
        await using watch = sdk.orders.watchOrders({ userId });
        assert.deepEqual(await take(watch, 2), ["order-1 at 1", "order-2 at 2"]);
        await assert.rejects(take(watch, 1), UnauthenticatedError);
        assert.equal(brought, 3);
        assert.deepEqual(sdk.pausesMs, []);
      });

      it("ends with a permanent error", async () => {
        await using sdk = await setupSdk(
          {
            // biome-ignore lint/correctness/useYield: it refuses before there is anything to say.
            async *watchOrders() {
              const { PERMISSION_DENIED } = ErrorReason;
              throw refuse(Code.PermissionDenied, PERMISSION_DENIED, "not yours");
            },
          },
          { by },
        );
        await using watch = sdk.orders.watchOrders({ userId });
        await assert.rejects(take(watch, 1), PermissionDeniedError);
        assert.deepEqual(await watch.next(), { done: true, value: undefined });
        assert.deepEqual(sdk.pausesMs, []);
      });

      it("retries while there are too many streams", async () => {
        let opened = 0;
        const errors: Error[] = [];
        await using sdk = await setupSdk(
          {
            async *watchOrders() {
              opened += 1;
              if (opened < 4) {
                const { TOO_MANY_STREAMS } = ErrorReason;
                throw refuse(Code.ResourceExhausted, TOO_MANY_STREAMS, "close one first");
              }
              yield orderAt(1n);
            },
          },
          { by },
        );
        const onCut = (error: Error) => errors.push(error);
        await using watch = sdk.orders.watchOrders({ userId }, { onCut });
        assert.deepEqual(await take(watch, 1), ["order-1 at 1"]);
        assert.equal(errors.filter((error) => error instanceof TooManyStreamsError).length, 3);
      });

      it("ends without an error when aborted, left or closed with its client, and frees the server", async () => {
        const ended: Promise<void>[] = [];
        await using sdk = await setupSdk(
          {
            async *watchOrders(_, context) {
              const end = signal();
              ended.push(end.promise);
              yield orderAt(1n);
              await until(context).finally(end.resolve);
            },
          },
          { by },
        );
        const stop = new AbortController();
        const stopped = sdk.orders.watchOrders({ userId }, { signal: stop.signal });
        await take(stopped, 1);
        const next = stopped.next();
        stop.abort();
        assert.equal((await next).done, true);

        for await (const _ of sdk.orders.watchOrders({ userId })) break;

        const disposed = sdk.orders.watchOrders({ userId });
        await take(disposed, 1);
        const last = disposed.next();
        await disposed[Symbol.asyncDispose]();
        assert.equal((await last).done, true);

        const closed = sdk.orders.watchOrders({ userId });
        await take(closed, 1);
        await sdk.caller[Symbol.asyncDispose]();
        assert.equal((await closed.next()).done, true);
        assert.equal(ended.length, 4);
        await Promise.all(ended);
      });
    });
  }

  it("yields each state once, wherever its streams are interrupted", async () => {
    const last = 30;
    const cutsAfter = fc.array(fc.nat(6), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cutsAfter, async (lengths) => {
        let opened = 0;
        await using sdk = await setupSdk({
          async *watchOrders({ afterRevision }, context) {
            const length = lengths[opened] ?? last;
            opened += 1;
            for (let sent = 0, next = Number(afterRevision) + 1; next <= last; next += 1) {
              if (sent === length) throw unavailable();
              sent += 1;
              yield orderAt(BigInt(next));
            }
            await until(context);
          },
        });
        await using watch = sdk.orders.watchOrders({ userId });
        const expected = Array.from({ length: last }, (_, at) => `order-${at + 1} at ${at + 1}`);
        assert.deepEqual(await take(watch, last), expected);
      }),
      { numRuns: 20 },
    );
  });

  it("throws the error of the token function", async () => {
    const broken = new Error("not signed in");
    await using sdk = await setupSdk(
      {},
      {
        token: () => {
          throw broken;
        },
      },
    );
    await assert.rejects(sdk.orders.watchOrders({ userId }).next(), broken);
  });

  it("reports an unavailable server as an interruption", async () => {
    await using sdk = await setupSdk({});
    await sdk.server.server[Symbol.asyncDispose]();
    const stop = new AbortController();
    const errors: Error[] = [];
    const onCut = (error: Error) => {
      errors.push(error);
      if (errors.length === 6) stop.abort();
    };
    for await (const _ of sdk.orders.watchOrders({ userId }, { onCut, signal: stop.signal }));
    assert.ok(
      errors.every((error) => error instanceof UnavailableError),
      String(errors[0]),
    );
    assert.deepEqual(sdk.pausesMs, [125, 250, 500, 1_000, 2_000]);
  });
});

async function take(watch: Watch<WatchOrdersChange>, count: number): Promise<readonly string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const { value, done } = await watch.next();
    assert.ok(!done, "the watch has ended");
    taken.push(`${value.order.id} at ${value.revision}`);
  }
  return taken;
}

/** Waits until the call ends. */
function until({ signal }: HandlerContext): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
