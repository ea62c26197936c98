import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { setTimeout as pause } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import { refuse } from "../../src/contract/errors.ts";
import { protocols, setup, signal, type Tick } from "./rpc-setup.ts";

const path = "/test.v1.Ticker/Tick";
const oneTick = Buffer.from("00000000020801", "hex");

async function collect(stream: AsyncIterable<Tick>) {
  const numbers: number[] = [];
  try {
    for await (const { number } of stream) numbers.push(number);
    return { numbers, error: undefined };
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    return { numbers, error };
  }
}

/** Ticks until it is stopped, and tells how far it came and why it ended. */
function endlessTicks() {
  const state = { ticks: 0, ended: signal(), aborted: signal<unknown>() };
  async function* tick(_request: Tick, context: { signal: AbortSignal }) {
    context.signal.addEventListener("abort", () => state.aborted.resolve(context.signal.reason));
    try {
      for (;;) yield { number: ++state.ticks };
    } finally {
      state.ended.resolve();
    }
  }
  return { state, tick };
}

/** Resolves once `ticks` has stopped growing. */
async function stalled(state: { ticks: number }): Promise<number> {
  for (let last = -1; ; await pause(50)) {
    if (state.ticks > 0 && state.ticks === last) return last;
    last = state.ticks;
  }
}

for (const protocol of protocols) {
  describe(`a stream by ${protocol}`, () => {
    it("brings every answer and its end", async () => {
      await using bundle = await setup();
      assert.deepEqual(await collect(bundle.ticks(protocol, 3)), {
        numbers: [1, 2, 3],
        error: undefined,
      });
      assert.deepEqual(await collect(bundle.ticks(protocol, 0)), { numbers: [], error: undefined });
      const { numbers } = await collect(bundle.ticks(protocol, 5_000));
      assert.equal(numbers.length, 5_000);
    });

    it("slows down for a user who has had many bytes", async () => {
      await using bundle = await setup({ limits: { readBytesPerSecond: 100 } });
      const startMs = performance.now();
      assert.equal((await collect(bundle.ticks(protocol, 25))).numbers.length, 25);
      assert.ok(performance.now() - startMs > 300);
    });

    it("brings a refusal after answers, with its details", async () => {
      await using bundle = await setup({
        async *tick() {
          yield { number: 1 };
          throw refuse(Code.ResourceExhausted, ErrorReason.OVERLOADED, "too much");
        },
      });
      const { numbers, error } = await collect(bundle.ticks(protocol, 1));
      assert.deepEqual(numbers, [1]);
      assert.equal(error?.code, Code.ResourceExhausted);
      assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, "OVERLOADED");
    });

    it("hides an unknown error", async () => {
      await using bundle = await setup({
        tick() {
          throw new Error("secret");
        },
      });
      const { error } = await collect(bundle.ticks(protocol, 1));
      assert.equal(error?.code, Code.Internal);
      assert.ok(!error.message.includes("secret"));
    });

    it("is not cut by the deadline of unary calls", async () => {
      await using bundle = await setup({
        limits: { maxDeadlineMs: 10 },
        async *tick() {
          yield { number: 1 };
          await pause(40);
          yield { number: 2 };
        },
      });
      assert.deepEqual((await collect(bundle.ticks(protocol, 1))).numbers, [1, 2]);
    });

    it("stops its handler when the caller gives up", async () => {
      const waiting = signal();
      const aborted = signal<unknown>();
      await using bundle = await setup({
        async *tick(_request, context) {
          context.signal.addEventListener("abort", () => aborted.resolve(context.signal.reason));
          yield { number: 1 };
          waiting.resolve();
          await aborted.promise;
        },
      });
      const caller = new AbortController();
      const stream = collect(bundle.ticks(protocol, 1, { signal: caller.signal }));
      await waiting.promise;
      caller.abort();
      await stream;
      assert.ok((await aborted.promise) instanceof ConnectError);
    });
  });
}

describe("a stream whose client does not read", () => {
  it("makes its handler wait by gRPC, and ends it when the client goes", async () => {
    const { state, tick } = endlessTicks();
    await using bundle = await setup({ tick });
    const session = connectHttp2(bundle.baseUrl);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {});
    stream.end(oneTick);
    const count = await stalled(state);
    assert.ok(count < 100_000, String(count));
    session.destroy();
    await state.ended.promise;
    assert.ok((await state.aborted.promise) instanceof ConnectError);
  });

  it("makes its handler wait by Connect, and ends it when the client goes", async () => {
    const { state, tick } = endlessTicks();
    await using bundle = await setup({ tick });
    const request = httpRequest(bundle.baseUrl + path, {
      method: "POST",
      headers: { "content-type": "application/connect+proto" },
    });
    request.on("error", () => {});
    request.on("response", (response) => response.on("error", () => {}).pause());
    request.end(oneTick);
    const count = await stalled(state);
    assert.ok(count < 2_000_000, String(count));
    request.destroy();
    await state.ended.promise;
    assert.ok((await state.aborted.promise) instanceof ConnectError);
  });
});
