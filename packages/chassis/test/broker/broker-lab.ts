import diagnosticsChannel from "node:diagnostics_channel";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import amqp from "amqplib";
import { pino } from "pino";
import { type BrokerLimits, createBroker, type OutgoingMessage } from "../../src/broker/broker.ts";

const amqpUrl = new URL(process.env.TEST_AMQP_URL ?? "amqp://127.0.0.1");
const managementUrl = new URL(process.env.TEST_RABBITMQ_MANAGEMENT_URL ?? "http://127.0.0.1");

/** Polls until the condition holds; fails after twenty seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>) {
  const deadlineMs = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`not in time: ${what}`);
    await sleep(10);
  }
}

export async function management(method: string, path: string, body?: unknown) {
  const { username, password } = managementUrl;
  const response = await fetch(new URL(path, managementUrl.origin), {
    method,
    headers: {
      authorization: `Basic ${btoa(`${username}:${decodeURIComponent(password)}`)}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

export type Lab = Awaited<ReturnType<typeof createLab>>;

/** A virtual host of its own, with what a test needs to look at it from outside. */
export async function createLab() {
  const vhost = `broker-test-${crypto.randomUUID()}`;
  await management("PUT", `/api/vhosts/${vhost}`, {});
  const url = new URL(amqpUrl);
  url.pathname = `/${vhost}`;
  const connection = await amqp.connect(url.href);
  const admin = await connection.createChannel();
  let queues = 0;
  return {
    vhost,
    url: url.href,
    admin,
    /** A quorum queue bound to amq.topic by its own name. */
    async queue(policy?: Record<string, unknown>, name = `queue-${++queues}`) {
      if (policy) {
        const definition = { pattern: `^${name}$`, definition: policy, "apply-to": "queues" };
        await management("PUT", `/api/policies/${vhost}/${name}`, definition);
      }
      await admin.assertQueue(name, { arguments: { "x-queue-type": "quorum" } });
      await admin.bindQueue(name, "amq.topic", name);
      return name;
    },
    async ready(queue: string) {
      return (await admin.checkQueue(queue)).messageCount;
    },
    /** The broker's connections from createBroker, as the management API knows them. */
    async connections(name: string): Promise<{ name: string; client: string }[]> {
      const all = await management("GET", `/api/vhosts/${vhost}/connections`);
      const named = all.map(
        (one: { name: string; client_properties?: Record<string, string> }) => ({
          name: one.name,
          client: one.client_properties?.connection_name ?? "",
        }),
      );
      return named.filter((one: { client: string }) => one.client.startsWith(name));
    },
    async closeConnections(name: string) {
      const found = await this.connections(name);
      for (const one of found) {
        await management("DELETE", `/api/connections/${encodeURIComponent(one.name)}`);
      }
      return found.length;
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await management("DELETE", `/api/vhosts/${vhost}`);
    },
  };
}

/** A broker with short pauses and what it logged. */
export function startBroker(url: string, limits: Partial<BrokerLimits> = {}) {
  const logged: { level: number; msg: string; reason?: string }[] = [];
  const log = pino({ level: "debug" }, { write: (line) => void logged.push(JSON.parse(line)) });
  const name = `test ${crypto.randomUUID()}`;
  const broker = createBroker({
    url,
    name,
    log,
    limits: { firstPauseMs: 20, longestPauseMs: 100, ...limits },
  });
  return {
    ...broker,
    name,
    logged,
    whenReady: () => until("publisher ready", () => broker.publisher.ready),
  };
}

/** A message to `routingKey` on amq.topic. */
export function messageTo(
  routingKey: string,
  rest: Partial<OutgoingMessage> = {},
): OutgoingMessage {
  return {
    exchange: "amq.topic",
    routingKey,
    body: new TextEncoder().encode("body"),
    messageId: crypto.randomUUID(),
    type: "test.v1.Event",
    timestampMs: Date.now(),
    ...rest,
  };
}

/** What comes after "connection open" in the handshake: method 41 of class 10, on channel 0. */
const openOk = Buffer.from([1, 0, 0, 0, 0, 0, 5, 0, 10, 0, 41, 0, 0xce]);

/** Stands between a client and the broker, on a port of its own, and spoils the connection. */
export async function createProxy(url: string) {
  const target = new URL(url);
  const clients = new Set<Socket>();
  const upstreams = new Set<Socket>();
  const opened: Socket[] = [];
  const remember = (message: unknown) => opened.push((message as { socket: Socket }).socket);
  diagnosticsChannel.subscribe("net.client.socket", remember);
  const muted = new WeakSet<Socket>();
  let silent = false;
  let sendOpenOk = (client: Socket, packet: Buffer): unknown => client.write(packet);

  // While silent it answers nothing, not even the end of the client's half.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client);
    const upstream = connect(Number(target.port), target.hostname);
    upstreams.add(upstream);
    client.on("data", (chunk) => silent || upstream.write(chunk));
    upstream.on("data", (chunk) => {
      if (silent || muted.has(client)) return;
      if (chunk.includes(openOk)) sendOpenOk(client, chunk);
      else client.write(chunk);
    });
    client.on("end", () => silent || client.end());
    client.on("error", () => {});
    upstream.on("error", () => {});
    client.on("close", () => {
      clients.delete(client);
      upstream.destroy();
    });
    upstream.on("close", () => silent || client.destroy());
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  };
  const stop = async () => {
    for (const socket of [...clients, ...upstreams]) socket.destroy();
    server.close();
    await once(server, "close");
  };

  const port = await listen(0);
  const through = new URL(url);
  through.port = String(port);
  return {
    url: through.href,
    /** How many sockets this process has opened since, beside the proxy's own, and not freed. */
    get heldSockets() {
      return opened.filter((socket) => !socket.destroyed && !upstreams.has(socket)).length;
    },
    stop,
    start: () => listen(port),
    /** Keeps the sockets open and lets nothing through. */
    silence(wanted: boolean) {
      silent = wanted;
    },
    /** Lets nothing more through to this client. */
    mute: (client: Socket) => void muted.add(client),
    /** Has the last packet of each handshake sent in another way. */
    onOpenOk(send: (client: Socket, packet: Buffer) => unknown) {
      sendOpenOk = send;
    },
    /** Sends a method without arguments, or with the given ones, as if it came from the broker. */
    inject(classId: number, methodId: number, args = Buffer.alloc(0)) {
      const head = Buffer.from([1, 0, 0, 0, 0, 0, 4 + args.length, 0, classId, 0, methodId]);
      for (const client of clients) client.write(Buffer.concat([head, args, Buffer.from([0xce])]));
    },
    async [Symbol.asyncDispose]() {
      silent = false;
      diagnosticsChannel.unsubscribe("net.client.socket", remember);
      if (server.listening) await stop();
    },
  };
}
