import assert from "node:assert/strict";
import { appendFileSync, existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DescService, fromJson, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { newId } from "@settle/chassis/base/new-id";
import { topologyOf } from "@settle/chassis/contract/topology";
import {
  createTestBroker,
  createTestDatabase,
  eventually,
  type TestBroker,
} from "@settle/chassis/testing";
import { PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import { type EdgeSettings, renderEdge } from "../../edge/render.ts";
import { startEnvoy } from "../../tools/local/parts/envoy.ts";
import { startService } from "../../tools/local/parts/service.ts";
import { findFreePorts } from "../../tools/local/ports.ts";
import { startNursery } from "../../tools/local/process/nursery.ts";
import { createProject, type Project } from "../harness/system/project.ts";
import { onBroker } from "../harness/system/queues.ts";
import { authorizationOf, readTestAuth } from "../harness/system/tokens.ts";

const host = "127.0.0.1";
const command = "tools/new-service/main.ts";
const { typeName: eventType } = PaymentResultEventSchema;
const create = [command, "newcomer", "--handles", eventType];

describe("a new service", function () {
  this.timeout(120_000);
  const parts = new AsyncDisposableStack();
  let project: Project;
  let broker: TestBroker;
  let port: number;
  let edgeUrl: string;

  before(async () => {
    project = parts.use(createProject());
    [port = 0] = await findFreePorts(1);
  });
  after(() => parts.disposeAsync());

  it("leaves no trace if it is refused, or stopped during preparation", async () => {
    const refusals: [args: readonly string[], reason: RegExp][] = [
      [[command, "orders", "--handles", eventType], /the service orders already exists/],
      [
        [command, "newcomer", "--handles", "events.v1.Nothing"],
        /the contract has no event events\.v1\.Nothing/,
      ],
    ];
    const edited = join(project.folder, "docker-compose.yml");
    const before = readFileSync(edited);
    appendFileSync(edited, "# Work of a day.\n");
    const dirty = await project.run(create);
    writeFileSync(edited, before);
    assert.equal(dirty.code, 1, dirty.output);
    assert.match(dirty.output, /uncommitted changes: docker-compose\.yml; commit or/);
    const ended = refusals.map(async ([args, reason]) => {
      const { code, output } = await project.run(args);
      assert.equal(code, 1, output);
      assert.match(output, reason);
    });
    const stopped = await project.run(create, { stopAt: "Copying" });
    await Promise.all(ended);
    assert.equal(stopped.code, 1, stopped.output);
    assert.match(stopped.output, /Stopped; nothing was changed/);
    assert.deepEqual(project.status(), []);
    assert.deepEqual(globSync(".cache/new-service-*", { cwd: project.folder }), []);
  });

  it("is added to every file that names services, and to no other", async () => {
    const { code, output } = await project.run([...create, "--port", String(port)]);
    assert.equal(code, 0, output);
    const written = [...output.matchAll(/^ {2}(?:new|changed) +(\S+)$/gm)].map(([, file]) => file);
    const status = project.status();
    assert.deepEqual(status.filter((file) => !file.startsWith("gen/")).sort(), written.sort());
    const [, generated] = /and (\d+) generated files/.exec(output) ?? [];
    assert.equal(status.length, written.length + Number(generated));
    for (const file of [
      "edge/envoy.yaml",
      "docker-compose.yml",
      "docs/reference/configuration.md",
    ]) {
      assert.ok(written.includes(file), file);
    }
  });

  it("runs, and responds through the edge", async () => {
    const { folder } = project;
    const auth = readTestAuth();
    const database = parts.use(await createTestDatabase("newcomer"));
    const listensTo = { payments: [eventType] };
    const users = { payments: {}, newcomer: listensTo };
    broker = parts.use(await createTestBroker(users, { notWaitedFor: ["newcomer"] }));
    const nursery = parts.use(await startNursery({ folder: join(folder, ".data") }));
    await startService({
      nursery,
      name: "newcomer",
      root: folder,
      port,
      databaseUrl: database.url,
      amqpUrl: broker.urlOf("newcomer"),
      auth,
      logLevel: "info",
    });
    const [listenPort = 0, adminPort = 0] = await findFreePorts(2);
    const services = { newcomer: [{ host, port }] } as EdgeSettings["services"];
    const descriptorsPath = join(folder, "gen/envoy/descriptors.binpb");
    const restGuardPath = join(folder, "gen/envoy/rest-guard.lua");
    const connectionCapPath = join(folder, "gen/envoy/connection-cap.wasm");
    const settings = {
      listenPort,
      adminPort,
      auth,
      descriptorsPath,
      restGuardPath,
      connectionCapPath,
      ...(services && { services }),
    };
    const config = join(folder, ".data/envoy.yaml");
    const local = readFileSync(join(folder, "edge/envoy.yaml"), "utf8");
    writeFileSync(config, renderEdge(settings, local));
    await startEnvoy({ nursery, binary: process.env.ENVOY_BIN ?? "", config, port: listenPort });
    edgeUrl = `http://${host}:${listenPort}`;
    await eventually("the service responds through the edge", async () =>
      (await countByRest("alice")) === "0" ? true : undefined,
    );
    const documents = await fetch(`http://${host}:${port}/swagger/v1/newcomer.json`);
    assert.equal(documents.status, 200);
  });

  it("counts an event that is delivered twice only once, over REST and gRPC", async () => {
    const messageId = newId();
    await publish("alice", messageId);
    await publish("alice", messageId);
    await publish("bob", newId());
    await eventually("the last event is counted", async () =>
      (await countByRest("bob")) === "1" ? true : undefined,
    );
    assert.equal(await countByRest("alice"), "1");
    assert.equal(await countByGrpc("alice"), 1n);
  });

  it("shows users only their own activity, and admins that of every user", async () => {
    const ask = async (authorization: string) =>
      (await fetch(`${edgeUrl}/gateway/newcomer/alice`, { headers: { authorization } })).status;
    assert.equal(await ask(await authorizationOf("bob")), 403);
    assert.equal(await ask(await authorizationOf("carol", ["admin"])), 200);
  });

  it("is not removed if uncommitted work would be lost", async () => {
    const file = "services/newcomer/src/app.ts";
    const path = join(project.folder, file);
    const before = readFileSync(path);
    appendFileSync(path, "// Work of a day.\n");
    const { code, output } = await project.run([command, "newcomer", "--remove"]);
    assert.equal(code, 1, output);
    assert.match(output, new RegExp(`would lose uncommitted work: ${file};`));
    writeFileSync(path, before);
  });

  it("leaves no trace after its removal", async () => {
    const { code, output } = await project.run([command, "newcomer", "--remove"]);
    assert.equal(code, 0, output);
    assert.deepEqual(project.status(), []);
    for (const path of ["services/newcomer", "proto/newcomer", "node_modules/@settle/newcomer"]) {
      assert.equal(existsSync(join(project.folder, path)), false, path);
    }
  });

  /** Returns the user's event count over REST; undefined if the service does not respond yet. */
  async function countByRest(userId: string): Promise<string | undefined> {
    const url = `${edgeUrl}/gateway/newcomer/${userId}`;
    const answer = await fetch(url, { headers: { authorization: await authorizationOf(userId) } });
    const { eventCount } = (await answer.json()) as { readonly eventCount?: string };
    return eventCount;
  }

  async function countByGrpc(userId: string): Promise<unknown> {
    const module = join(project.folder, "gen/es/newcomer/v1/newcomer_service_pb.ts");
    const { NewcomerService } = (await import(module)) as { readonly NewcomerService: DescService };
    const client = createClient(NewcomerService, createGrpcTransport({ baseUrl: edgeUrl }));
    const headers = { authorization: await authorizationOf(userId) };
    const method = client.getNewcomerActivity as unknown as (
      request: object,
      options: object,
    ) => Promise<{ readonly eventCount: bigint }>;
    return (await method({ userId }, { headers })).eventCount;
  }

  /** Publishes the contract's example of the event, as payments would. */
  async function publish(userId: string, messageId: string): Promise<void> {
    const path = join(project.folder, "gen/asyncapi/settle.json");
    const { components } = JSON.parse(readFileSync(path, "utf8"));
    const [{ payload }] = components.messages[eventType].examples;
    const event = fromJson(PaymentResultEventSchema, { ...payload, userId });
    await onBroker(broker.adminUrl, async (channel) => {
      const body = Buffer.from(toBinary(PaymentResultEventSchema, event));
      channel.publish(topologyOf("payments").events, eventType, body, {
        contentType: "application/x-protobuf",
        type: eventType,
        messageId,
        timestamp: Math.floor(Date.now() / 1_000),
        persistent: true,
      });
      await channel.waitForConfirms();
    });
  }
});
