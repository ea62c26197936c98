import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EdgeSettings, renderEdge } from "../../edge/render.ts";
import { perService, type ServiceName, serviceNames } from "../../services/services.ts";
import { provisionDatabases, vhost } from "../provision/provision.ts";
import { pageOriginsOf, tokenIssuerOf } from "./addresses.ts";
import type { LocalConfig } from "./config.ts";
import { startDevIssuer } from "./parts/dev-issuer.ts";
import { findEnvoy, startEnvoy } from "./parts/envoy.ts";
import { buildPage, startPage } from "./parts/page.ts";
import { prometheusPart } from "./parts/prometheus.ts";
import { provisionLocalQueues, readPasswords, startProvisioner } from "./parts/provisioner.ts";
import { startService } from "./parts/service.ts";
import { findFreePorts } from "./ports.ts";
import { startPostgres } from "./postgres/postgres.ts";
import type { Nursery } from "./process/nursery.ts";
import { type Part, type ReportState, supervise } from "./process/supervise.ts";
import { startRabbitmq } from "./rabbitmq/rabbitmq.ts";

const host = "127.0.0.1";

export type StackOptions = {
  readonly config: LocalConfig;
  /** The root of the project, whose programs run. */
  readonly root: string;
  /** The folder for downloads. */
  readonly cacheDir: string;
  readonly nursery: Nursery;
  /** Settings of the edge that differ from `edge/envoy.yaml`, such as limits; by default none. */
  readonly edge?: EdgeSettings | undefined;
  readonly report: ReportState;
  /** Aborting it ends all restarts; the nursery stops the processes. */
  readonly signal: AbortSignal;
};

/** The parts of the stack in the order in which they start, as shown on the board. */
export function partNames(config: LocalConfig): string[] {
  return [
    "PostgreSQL",
    ...(config.broker ? [] : ["RabbitMQ"]),
    ...(config.issuer ? [] : ["dev issuer"]),
    ...(config.page ? ["page"] : []),
    "provisioner",
    ...serviceNames,
    "Envoy",
    ...(config.observe ? ["Prometheus"] : []),
  ];
}

/**
 * Starts the whole system and keeps it running. Resolves when orders can be placed. Every start of
 * the database or the broker provisions it again, also after a crash. Throws if the first start of
 * a part fails.
 */
export async function startStack(options: StackOptions): Promise<void> {
  const { config, report, signal } = options;
  const start = (part: Part) => supervise({ part, report, signal });
  if (config.broker) {
    await provisionLocalQueues(config.broker.managementUrl, config.dataDir);
  }
  await Promise.all([
    start(postgresPart(options)),
    ...(config.broker ? [] : [start(rabbitmqPart(options))]),
    ...(config.issuer ? [] : [start(devIssuerPart(options))]),
    ...(config.page ? [start(pagePart(options))] : []),
    // Finds or downloads Envoy while the others start; its part then finds it at once.
    findEnvoy({ ...options, env: config.env, log: (line) => report("Envoy", "starting", line) }),
  ]);
  await Promise.all([
    start(provisionerPart(options)),
    ...serviceNames.map((name) => start(servicePart(name, options))),
  ]);
  await start(envoyPart(options));
  if (config.observe) await start(prometheusPart(options));
}

function postgresPart({ config, nursery }: StackOptions): Part {
  const { dataDir } = config;
  const port = config.ports.postgres;
  return {
    name: "PostgreSQL",
    async start() {
      await using starting = new AsyncDisposableStack();
      const postgres = starting.use(
        await startPostgres({ nursery, dataDir: join(dataDir, "postgres"), port }),
      );
      await provisionDatabases(postgres.adminUrl, readPasswords(dataDir));
      starting.move();
      return { ...postgres, exited: postgres.child.exited, address: `${host}:${port}` };
    },
  };
}

function rabbitmqPart(options: StackOptions): Part {
  const { config, nursery, cacheDir, signal } = options;
  const { amqp: amqpPort, management: managementPort, rabbitmqMetrics } = config.ports;
  return {
    name: "RabbitMQ",
    async start(log) {
      await using starting = new AsyncDisposableStack();
      const rabbitmq = starting.use(
        await startRabbitmq({
          nursery,
          dataDir: join(config.dataDir, "rabbitmq"),
          cacheDir,
          amqpPort,
          managementPort,
          metricsPort: rabbitmqMetrics,
          env: config.env,
          signal,
          log,
        }),
      );
      await provisionLocalQueues(rabbitmq.managementUrl, config.dataDir);
      starting.move();
      const address = `${host}:${amqpPort}, management ${host}:${managementPort}`;
      return { ...rabbitmq, exited: rabbitmq.child.exited, address };
    },
  };
}

function devIssuerPart({ config, nursery, root }: StackOptions): Part {
  const { issuer, audience } = tokenIssuerOf(config);
  const port = config.ports.auth;
  return {
    name: "dev issuer",
    async start() {
      const devIssuer = await startDevIssuer({
        nursery,
        root,
        port,
        issuer,
        audience,
        folder: join(config.dataDir, "issuer"),
        // The Swagger UI at the edge also signs in.
        corsOrigins: [...pageOriginsOf(config), `http://localhost:${config.ports.edge}`],
        logLevel: config.logLevel,
      });
      return { ...devIssuer, exited: devIssuer.child.exited, address: `${host}:${port}` };
    },
  };
}

function pagePart({ config, nursery, root, signal }: StackOptions): Part {
  const { ports, oidc, env, logLevel } = config;
  const folder = join(config.dataDir, "page");
  return {
    name: "page",
    async start(log) {
      log("building");
      await buildPage({ root, folder, env, signal });
      const page = await startPage({
        nursery,
        root,
        port: ports.page,
        metricsPort: ports.pageMetrics,
        folder,
        edgeUrl: `http://localhost:${ports.edge}`,
        signIn: oidc ?? { DEV_ISSUER_URL: tokenIssuerOf(config).issuer },
        logLevel,
      });
      return { ...page, exited: page.child.exited, address: `http://localhost:${ports.page}` };
    },
  };
}

function provisionerPart({ config, nursery, root }: StackOptions): Part {
  const broker = config.broker?.managementUrl ?? `http://${host}:${config.ports.management}`;
  return {
    name: "provisioner",
    async start() {
      const { dataDir, logLevel } = config;
      const metricsPort = config.ports.provisionerMetrics;
      const child = await startProvisioner({
        nursery,
        root,
        broker,
        dataDir,
        metricsPort,
        logLevel,
      });
      return { ...child, address: new URL(broker).origin };
    },
  };
}

function servicePart(name: ServiceName, options: StackOptions): Part {
  const { config, nursery, root } = options;
  const port = config.ports[name];
  return {
    name,
    async start() {
      const password = readPasswords(config.dataDir)[name];
      const amqp = new URL(config.broker?.amqpUrl ?? `amqp://${host}:${config.ports.amqp}`);
      Object.assign(amqp, { username: name, password, pathname: vhost });
      const service = await startService({
        nursery,
        name,
        root,
        port,
        databaseUrl: `postgres://${name}:${password}@${host}:${config.ports.postgres}/${name}`,
        amqpUrl: amqp.href,
        auth: tokenIssuerOf(config),
        logLevel: config.logLevel,
        edgeUrl: `http://localhost:${config.ports.edge}`,
        env: {
          EVENT_BATCHES: "on",
          METRICS_PORT: String(config.ports[`${name}Metrics`]),
          ...config.serviceEnv,
        },
      });
      return { ...service, exited: service.child.exited, address: `${host}:${port}` };
    },
  };
}

function envoyPart({ config, nursery, edge, root, cacheDir, signal }: StackOptions): Part {
  const { ports } = config;
  const configFile = join(config.dataDir, "envoy.yaml");
  return {
    name: "Envoy",
    async start(log) {
      const binary = await findEnvoy({ env: config.env, cacheDir, signal, log });
      const [adminPort] = (await findFreePorts(1)) as [number];
      const settings = {
        listenPort: ports.edge,
        adminPort,
        metricsPort: ports.edgeMetrics,
        services: perService((name) => [{ host, port: ports[name] }]),
        auth: tokenIssuerOf(config),
        descriptorsPath: join(root, "gen/envoy/descriptors.binpb"),
        restGuardPath: join(root, "gen/envoy/rest-guard.lua"),
        connectionCapPath: join(root, "gen/envoy/connection-cap.wasm"),
        corsOrigins: pageOriginsOf(config),
        ...edge,
      };
      writeFileSync(configFile, renderEdge(settings));
      const envoy = await startEnvoy({ nursery, binary, config: configFile, port: ports.edge });
      return { ...envoy, exited: envoy.child.exited, address: `http://localhost:${ports.edge}` };
    },
  };
}
