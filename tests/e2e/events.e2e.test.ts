import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { routeOf } from "@settle/chassis/contract/routes";
import { topologyOf } from "@settle/chassis/contract/topology";
import { eventually } from "@settle/chassis/testing";
import { file_events_v1_events, PaymentResultEventSchema } from "@settle/gen/events/v1/events_pb";
import { createSettle, money, OrderStatus, PaymentOutcome, type Settle } from "@settle/sdk/node";
import type { ConsumeMessage } from "amqplib";
import type { Report } from "../../examples/payment-listener/books.ts";
import { serviceNames } from "../../services/services.ts";
import { tapEvents } from "../../tools/release/event-tap.ts";
import { readEventsDocument } from "../harness/documents/events-document.ts";
import { runListener } from "../harness/listeners/listener-command.ts";
import { startListening } from "../harness/listeners/payment-listener.ts";
import { batchesOf, eventsOf } from "../harness/system/batches.ts";
import { openLink } from "../harness/system/link.ts";
import {
  depthOf,
  type Event,
  onBroker,
  peek,
  publish,
  readEvent,
} from "../harness/system/queues.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const program = join(root, "examples/payment-listener/main.ts");
const { typeName: resultType } = PaymentResultEventSchema;
const document = readEventsDocument();
type Exchange = (typeof document.exchanges)[number];
type Queue = (typeof document.queues)[number];
/** The fields of an exchange, a queue or a binding in RabbitMQ's lists. */
type Listed = Exchange &
  Queue & {
    readonly auto_delete: boolean;
    readonly source: string;
    readonly destination: string;
    readonly routing_key: string;
  };
const userId = "events";
const paidCount = 40;
const timeoutMs = 120_000;

/** The order ids of such events. */
function ordersOf(events: readonly Event[]): ReadonlySet<string> {
  return new Set(events.map((event) => readEvent(event).orderId));
}

describe("the events", function () {
  this.timeout(timeoutMs);
  const parts = new AsyncDisposableStack();
  const deliveries: ConsumeMessage[] = [];
  let system: System;
  let settle: Settle;
  let folder: string;

  const clientOf = (baseUrl: string, scopes: readonly string[] = []) =>
    parts.use(createSettle({ baseUrl, token: () => tokenOf(userId, scopes) }));
  const eventsOfType = (name: string) =>
    deliveries.flatMap(eventsOf).filter(({ type }) => type === name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "settle-events-"));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    system = parts.use(await startSystem());
  });
  after(() => parts.disposeAsync());

  it("use exactly the exchanges, queues and bindings of the AsyncAPI document", async () => {
    const { manage, vhost } = system.broker;
    const list = async (what: string) => (await manage("GET", `${what}/${vhost}`)) as Listed[];
    const exchange = ({ name, type, durable, autoDelete }: Exchange) =>
      `${name}: ${type}, durable ${durable}, auto-delete ${autoDelete}`;
    const queue = ({ name, durable, exclusive, autoDelete, arguments: args }: Queue) =>
      `${name}: durable ${durable}, exclusive ${exclusive}, auto-delete ${autoDelete}, ` +
      JSON.stringify(args);
    const binding = (source: string, routingKey: string, destination: string) =>
      `${source}, ${routingKey} to ${destination}`;

    // A service has an exchange also where it publishes nothing yet.
    const silent = serviceNames.filter((service) =>
      file_events_v1_events.messages.every((event) => routeOf(event)?.from !== service),
    );
    const unused = new Set(silent.map((service) => topologyOf(service).events));
    const topics = (await list("exchanges"))
      .filter(({ name, type }) => type === "topic" && !name.startsWith("amq.") && !unused.has(name))
      .map((found) => ({ ...found, autoDelete: found.auto_delete }));
    assert.deepEqual(
      topics.map(exchange).sort(),
      [...new Set(document.exchanges.map(exchange))].sort(),
    );
    const bindings = (await list("bindings")).filter(({ source }) =>
      topics.some(({ name }) => name === source),
    );
    assert.deepEqual(
      bindings.map((b) => binding(b.source, b.routing_key, b.destination)).sort(),
      document.queues
        .flatMap(({ name, boundTo }) => boundTo.map((b) => binding(b.exchange, b.routingKey, name)))
        .sort(),
    );
    const bound = new Set(bindings.map(({ destination }) => destination));
    const queues = (await list("queues"))
      .filter(({ name }) => bound.has(name))
      .map((found) => ({ ...found, autoDelete: found.auto_delete }));
    assert.deepEqual(queues.map(queue).sort(), document.queues.map(queue).sort());
  });

  it("match the document, every one that is delivered", async () => {
    const { adminUrl } = system.broker;
    const take = (message: ConsumeMessage) => deliveries.push(message);
    parts.use(await tapEvents(adminUrl, ["orders", "payments"], take));
    // Payments is not running yet, so the order can still be cancelled.
    const replica = await system.start("orders", { port: system.ports.orders });
    const early = clientOf(replica.url);
    const amount = money("1.00", "EUR");
    const { id } = await early.orders.createOrder({ userId, amount, description: "cancelled" });
    await early.orders.cancelOrder({ userId, orderId: id });
    await system.start("payments", { port: system.ports.payments });
    await system.healthy();

    settle = clientOf(system.edgeUrl);
    await settle.payments.createAccount({ userId, currency: "EUR" });
    await settle.payments.deposit({ userId, amount: money("100.00", "EUR") });
    const place = (sum: string) =>
      settle.orders.createOrder({ userId, amount: money(sum, "EUR") }, { waitS: 10 });
    const [declined, ...paid] = await Promise.all([
      place("1000.00"),
      ...Array.from({ length: paidCount }, () => place("1.25")),
    ]);
    assert.equal(declined.status, OrderStatus.PAYMENT_DECLINED);
    const [first] = paid;
    assert.ok(first && paid.every(({ status }) => status === OrderStatus.PAID));
    const { payments } = clientOf(system.edgeUrl, ["admin"]);
    await payments.refundPayment({ userId, orderId: first.id });

    await eventually("every kind of event has been delivered", () =>
      document.messageNames.every(
        (name) =>
          eventsOfType(name).length > 0 ||
          deliveries.some(({ properties: { type } }) => type === name),
      )
        ? true
        : undefined,
    );
    // The cancelled order adds one; it may have two, with different ids.
    await eventually("every order's result has been delivered", () =>
      ordersOf(eventsOfType(resultType)).size === paidCount + 2 ? true : undefined,
    );
    for (const delivery of deliveries) document.checkDelivery(delivery);
  });

  it("are documented at the edge and by the service itself, without a token", async () => {
    const generated = await readFile(join(root, "gen/asyncapi/settle.json"), "utf8");
    for (const url of [system.edgeUrl, `http://127.0.0.1:${system.ports.payments}`]) {
      assert.equal(await (await fetch(`${url}/swagger/v1/events.json`)).text(), generated);
      const page = await (await fetch(`${url}/swagger/events`)).text();
      for (const name of document.messageNames) assert.ok(page.includes(`<section id="${name}">`));
    }
  });

  it("are compressed by the edge, and not sent again to a reader who has them", async () => {
    const url = `${system.edgeUrl}/swagger/v1/events.json`;
    const { status, headers } = await fetch(url, { headers: { "accept-encoding": "gzip" } });
    assert.deepEqual([status, headers.get("content-encoding")], [200, "gzip"]);
    assert.match(headers.get("vary") ?? "", /accept-encoding/i);
    const etag = headers.get("etag") ?? "";
    assert.match(etag, /^W\/"/);
    for (const accepted of ["gzip", "identity"]) {
      const known = { "accept-encoding": accepted, "if-none-match": etag };
      assert.equal((await fetch(url, { headers: known })).status, 304);
    }
  });

  it("are booked once each by a listener of another team, despite crashes", async () => {
    const { adminUrl, vhost } = system.broker;
    const name = vhost.replace("_", "-");
    const { work, deadLetters } = topologyOf(name);
    const { stdout } = await runListener(system.broker, [name, resultType]);
    parts.defer(async () => void (await runListener(system.broker, ["--remove", name])));
    const link = parts.use(await openLink(stdout.trim()));
    const books = ["--books", join(folder, "books.db")];
    const listenerArgs = [...books, "--queue", work];
    const start = () => parts.use(startListening(link.url, listenerArgs));
    const report = async (): Promise<Report> =>
      JSON.parse((await run(process.execPath, [program, ...books, "--report"])).stdout);
    const results = [
      ...new Map(eventsOfType(resultType).map((event) => [event.messageId, event])).values(),
    ];
    const copies = results.map((event) => ({ ...event, headers: {} }));
    const isDone = () =>
      onBroker(adminUrl, async (channel) => {
        const { waiting } = await depthOf(channel, work);
        return waiting === 0 ? true : undefined;
      });

    // It dies after booking and before acknowledging.
    const killed = start();
    await killed.says(/^listening/);
    link.hold();
    await publish(adminUrl, work, [...copies, ...copies]);
    await killed.says(/^booked/, 3);
    assert.equal(await killed.end("SIGKILL"), null);
    link.cut();
    await eventually("all of it is back", () =>
      onBroker(adminUrl, async (channel) => {
        const { waiting } = await depthOf(channel, work);
        return waiting === 2 * copies.length ? true : undefined;
      }),
    );

    const listening = start();
    await listening.says(/^already booked/, 3);
    await listening.says(/^(booked|already booked)/, 2 * copies.length);
    link.cut();
    await publish(adminUrl, work, copies.slice(0, 5));
    await listening.says(/^listening/, 2);
    {
      using file = new DatabaseSync(join(folder, "books.db"));
      file.exec(`CREATE TRIGGER full BEFORE INSERT ON results
                 BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`);
      const known = listening.said.filter((line) => line.startsWith("already booked")).length;
      await publish(adminUrl, work, batchesOf(copies.slice(0, 5)));
      await listening.says(/^not booked yet: the disk is full/, 2);
      file.exec("DROP TRIGGER full");
      await listening.says(/^already booked/, known + 5);
      const connections = listening.said.filter((line) => line.startsWith("listening"));
      assert.equal(connections.length, 2);
    }
    await publish(adminUrl, work, [
      { messageId: crypto.randomUUID(), type: "events.v9.NewerEvent", body: Buffer.alloc(0) },
      { messageId: crypto.randomUUID(), type: resultType, body: Buffer.from([0xff]) },
    ]);
    await listening.says(/^ignored/);
    await listening.says(/^rejected/);
    await eventually("all that waited was taken", isDone);
    assert.equal(await listening.end("SIGTERM"), 0);
    await eventually("nothing comes back", isDone);
    assert.equal((await peek(adminUrl, deadLetters)).length, 1);

    // The broker does not notice the disconnect, and so does not answer.
    const unheard = start();
    await unheard.says(/^listening/);
    link.hold();
    assert.equal(await unheard.end("SIGTERM"), 0);

    const { results: booked, turnover } = await report();
    assert.deepEqual(turnover, { EUR: String(paidCount * 125) });
    assert.equal(new Set(booked.map(({ orderId }) => orderId)).size, booked.length);
    assert.deepEqual(new Set(booked.map(({ orderId }) => orderId)), ordersOf(results));
    for (const { orderId, outcome } of booked) {
      const payment = await settle.payments.getPayment({ userId, orderId });
      assert.equal(PaymentOutcome[outcome as keyof typeof PaymentOutcome], payment.outcome);
    }
    assert.deepEqual(system.unexplainedExits, []);
  });
});
