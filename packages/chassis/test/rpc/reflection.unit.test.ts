import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { orderId, setup } from "./rpc-setup.ts";

const root = new URL("../../../../", import.meta.url);
const descriptors = readFileSync(new URL("gen/envoy/descriptors.binpb", root));
const buf = fileURLToPath(new URL("node_modules/.bin/buf", root));

async function bufCurl(...args: string[]): Promise<string> {
  const run = promisify(execFile);
  const { stdout } = await run(buf, [
    "curl",
    "--http2-prior-knowledge",
    "--protocol",
    "grpc",
    ...args,
  ]);
  return stdout;
}

describe("reflection", () => {
  it("tells buf curl how to call", async () => {
    await using bundle = await setup({ descriptors });
    for (const protocol of ["grpc-v1", "grpc-v1alpha"]) {
      const stdout = await bufCurl(
        "--reflect-protocol",
        protocol,
        "-d",
        JSON.stringify({ userId: "alice", orderId }),
        `${bundle.baseUrl}/orders.v1.OrdersService/GetOrder`,
      );
      assert.deepEqual(JSON.parse(stdout), { id: orderId, userId: "alice" });
    }
  });

  it("lists every service of the descriptors", async () => {
    await using bundle = await setup({ descriptors });
    const services = (await bufCurl("--list-methods", bundle.baseUrl)).split("\n");
    for (const method of [
      "orders.v1.OrdersService/CreateOrder",
      "payments.v1.PaymentsService/Deposit",
    ]) {
      assert.ok(services.includes(method), `${method} in ${services}`);
    }
  });

  it("is off without descriptors", async () => {
    await using bundle = await setup();
    await assert.rejects(bufCurl("--list-methods", bundle.baseUrl), /unimplemented/);
  });
});
