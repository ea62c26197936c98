import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@settle/gen/google/rpc/error_details_pb";
import type { TokenVerifier } from "../../src/identity/token-verifier.ts";
import { eventually } from "../../src/testing.ts";
import { orderId, orderRequest, type Protocol, protocols, setup, signal } from "./rpc-setup.ts";

/** Takes the whole header for the name of a user, who may read the orders of all. */
const byName: TokenVerifier = {
  verify: (authorization) => ({
    userId: authorization ?? "",
    scopes: new Set(["admin"]),
    expireTimeMs: Number.MAX_SAFE_INTEGER,
  }),
};
const reads = { maxRunning: 2, maxRunningPerUser: 1, maxWaiting: 20, maxWaitingPerUser: 18 };

/** A server whose reads end when the test says so, and the users whose reads have begun. */
async function setupReads(protocol: Protocol) {
  const begun: string[] = [];
  const end = signal();
  const bundle = await setup({
    verifier: byName,
    limits: { reads },
    orders: {
      async getOrder(request, { requestHeader }) {
        begun.push(requestHeader.get("authorization") ?? "");
        await end.promise;
        return { id: request.orderId };
      },
    },
  });
  const client = bundle.orders(protocol);
  const read = (user: string, leaving?: AbortSignal) =>
    client.getOrder(
      { userId: "alice", orderId },
      { headers: { authorization: user }, ...(leaving && { signal: leaving }) },
    );
  const goneCalls = () => bundle.logs.filter(({ code }) => code === "DeadlineExceeded").length;
  return { ...bundle, client, read, begun, end: () => end.resolve(), goneCalls };
}

for (const protocol of protocols) {
  describe(`reads by ${protocol}`, () => {
    it("do not begin if their caller has gone before their turn", async () => {
      await using bundle = await setupReads(protocol);
      const { read, begun, end, goneCalls } = bundle;
      const leaving = new AbortController();
      const left = Array.from({ length: 20 }, () => read("mallory", leaving.signal));
      // The last one to arrive is refused, so the others have arrived.
      const refusal = await Promise.race(left).catch(ConnectError.from);
      assert.ok(refusal instanceof ConnectError);
      assert.equal(refusal.code, Code.ResourceExhausted);
      const one = read("bob");
      leaving.abort();
      await Promise.allSettled(left);
      await eventually("the others have left", () => goneCalls() === 19 || undefined);
      end();
      assert.equal((await one).id, orderId);
      assert.equal((await read("carol")).id, orderId);
      assert.deepEqual(begun, ["mallory", "bob", "carol"]);
    });

    it("wait if their user has had many bytes, and those of others do not", async () => {
      const description = "x".repeat(200_000);
      await using bundle = await setup({
        verifier: byName,
        limits: { readBytesPerSecond: 100_000 },
        orders: { getOrder: ({ orderId: id }) => ({ id, description }) },
      });
      const client = bundle.orders(protocol);
      const read = (authorization: string) =>
        client.getOrder({ userId: "alice", orderId }, { headers: { authorization } });
      await read("mallory");
      const startMs = performance.now();
      const ended: string[] = [];
      await Promise.all(["mallory", "bob"].map((user) => read(user).then(() => ended.push(user))));
      assert.deepEqual(ended, ["bob", "mallory"]);
      assert.ok(performance.now() - startMs > 500);
    });

    it("are refused with the time to try again if too many of their user wait", async () => {
      await using bundle = await setupReads(protocol);
      const { read, end, client } = bundle;
      const many = Array.from({ length: 20 }, () => read("mallory"));
      const refusal = await Promise.race(many).catch(ConnectError.from);
      assert.ok(refusal instanceof ConnectError);
      assert.equal(refusal.code, Code.ResourceExhausted);
      assert.equal(refusal.metadata.get("retry-after"), "1");
      assert.equal(refusal.findDetails(ErrorInfoSchema)[0]?.reason, "OVERLOADED");

      const others = read("bob");
      // What changes something does not wait behind reads.
      const headers = { authorization: orderRequest.userId };
      assert.equal((await client.createOrder(orderRequest, { headers })).id, orderId);
      end();
      await others;
      const answered = (await Promise.allSettled(many)).filter((one) => one.status === "fulfilled");
      assert.equal(answered.length, 19);
    });
  });
}
