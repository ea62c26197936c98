import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  Client,
  type ClientDuplexStream,
  credentials,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { eventually } from "../../src/testing.ts";
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

/** Opens a stream that asks for the list of services and stays open. */
function openStream(client: Client) {
  const asIs = (bytes: Buffer) => bytes;
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const stream: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(path, asIs, asIs);
  const answered = new Promise((resolve) => stream.once("data", resolve));
  const ended = new Promise<ServiceError>((resolve) => stream.once("error", resolve));
  stream.write(Buffer.from([0x3a, 0]));
  return { answered, ended };
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

  it("ends the oldest stream for a new one beyond the limit", async () => {
    await using bundle = await setup({ descriptors, limits: { maxReflectionStreams: 2 } });
    const client = new Client(`127.0.0.1:${bundle.port}`, credentials.createInsecure());
    const ends: ServiceError[] = [];
    for (let count = 0; count < 20; count += 1) {
      const { answered, ended } = openStream(client);
      void ended.then((error) => ends.push(error));
      await answered;
    }
    await eventually("the others have ended", () => ends.length === 18 || undefined);
    for (const { code, metadata } of ends) {
      assert.equal(code, status.RESOURCE_EXHAUSTED);
      assert.match(String(metadata.get("grpc-status-details-bin")[0]), /TOO_MANY_STREAMS/);
    }
    client.close();
  });

  it("ends a stream after some time", async () => {
    await using bundle = await setup({ descriptors, limits: { maxReflectionMs: 20 } });
    const client = new Client(`127.0.0.1:${bundle.port}`, credentials.createInsecure());
    const { code } = await openStream(client).ended;
    assert.equal(code, status.DEADLINE_EXCEEDED);
    client.close();
  });
});
