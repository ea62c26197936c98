import assert from "node:assert/strict";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { service } from "grpc-health-check";
import { createHealth } from "../../src/rpc/health.ts";
import { eventually } from "../../src/testing.ts";
import { setup } from "./rpc-setup.ts";

type Status = { readonly status: string };

function healthClient(port: number) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const { Check, Watch, List } = service;
  assert.ok(Check && Watch && List);
  const unary = <Answer>(method: typeof Check, request: object) =>
    new Promise<Answer>((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        (error, answer) => (error ? reject(error) : resolve(answer as Answer)),
      );
    });
  return {
    check: (name: string) => unary<Status>(Check, { service: name }),
    list: () => unary<{ statuses: Record<string, Status> }>(List, {}),
    watch: (name: string) =>
      client.makeServerStreamRequest(
        Watch.path,
        Watch.requestSerialize,
        Watch.responseDeserialize,
        {
          service: name,
        },
      ),
    [Symbol.dispose]: () => client.close(),
  };
}

describe("health", () => {
  it("begins as not ready and ends for good", () => {
    const health = createHealth();
    let changes = 0;
    const forget = health.onChange(() => (changes += 1));
    assert.equal(health.serving, false);
    health.setServing(true);
    health.setServing(true);
    assert.equal(health.serving, true);
    health.stop();
    health.setServing(true);
    assert.equal(health.serving, false);
    assert.equal(changes, 2);
    forget();
  });

  it("is shown by GET /healthz", async () => {
    await using bundle = await setup();
    const shown = async () => {
      const response = await fetch(`${bundle.baseUrl}/healthz`);
      return [response.status, await response.json()];
    };
    assert.deepEqual(await shown(), [200, { status: "SERVING" }]);
    bundle.health.setServing(false);
    assert.deepEqual(await shown(), [503, { status: "NOT_SERVING" }]);
  });

  it("is shown by grpc.health.v1 for the server and each service", async () => {
    await using bundle = await setup();
    using client = healthClient(bundle.port);
    for (const name of ["", "orders.v1.OrdersService", "test.v1.Ticker"]) {
      assert.deepEqual(await client.check(name), { status: "SERVING" });
    }
    await assert.rejects(
      client.check("other"),
      (error: ServiceError) => error.code === 5 && error.details === "no such service",
    );
    bundle.health.setServing(false);
    assert.deepEqual(await client.check(""), { status: "NOT_SERVING" });
    assert.deepEqual(Object.keys((await client.list()).statuses).length, 3);
  });

  it("can be watched", async () => {
    await using bundle = await setup();
    using client = healthClient(bundle.port);
    const seen: string[] = [];
    const stream = client.watch("");
    stream.on("error", () => {});
    for await (const { status } of stream) {
      seen.push(status);
      if (seen.length === 1) bundle.health.setServing(false);
      if (seen.length === 2) stream.cancel();
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen, ["SERVING", "NOT_SERVING"]);
    const [unknown] = await client.watch("other").take(1).toArray();
    assert.deepEqual(unknown, { status: "SERVICE_UNKNOWN" });
  });

  it("has a limit of watches, which those that have ended leave", async () => {
    await using bundle = await setup({ limits: { maxHealthWatches: 1 } });
    using client = healthClient(bundle.port);
    const watch = () => {
      const stream = client.watch("");
      return new Promise<{ stream: typeof stream; code: number }>((resolve) => {
        stream.once("data", () => resolve({ stream, code: 0 }));
        stream.on("error", ({ code }: ServiceError) => resolve({ stream, code }));
      });
    };
    const first = await watch();
    assert.equal(first.code, 0);
    assert.equal((await watch()).code, 8);
    first.stream.cancel();
    await eventually("a place is free", async () => (await watch()).code === 0 || undefined);
  });
});
