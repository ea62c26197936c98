import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plainPathOf } from "../plain-path.ts";
import { findFreePorts, isListening } from "../ports.ts";
import type { Child, Nursery } from "../process/nursery.ts";
import { waitUntilReady } from "../process/ready.ts";
import { readSecret } from "../secrets.ts";

const host = "127.0.0.1";
export const adminUser = "admin";
/** Older versions lack the policies for quorum queues that the topology uses. */
const oldestVersion = [3, 10] as const;
const epmdTimeoutMs = 10_000;
/** Includes the recovery of queues after a crash. */
const startTimeoutMs = 120_000;
const stopTimeoutMs = 30_000;

/** An installation of RabbitMQ. */
export type RabbitmqInstallation = {
  /** The folder with `sbin` and `plugins`. */
  readonly home: string;
  /** Erlang's port mapper. */
  readonly epmd: string;
  /** The environment of the node: a PATH with `erl`, and library paths if needed. */
  readonly env: NodeJS.ProcessEnv;
};

export type RabbitmqNodeOptions = {
  readonly nursery: Nursery;
  /** The folder of the data and the administrator's password (mode 0600); created if missing. */
  readonly dataDir: string;
  readonly amqpPort: number;
  readonly managementPort: number;
  readonly metricsPort?: number;
  readonly name: string;
};

/** The settings of both a node on this machine and a container. */
export const sharedSettings = [
  "collect_statistics_interval = 60000",
  "vm_memory_high_watermark.relative = 0.3",
  "disk_free_limit.absolute = 100MB",
  "raft.wal_max_size_bytes = 67108864",
  "log.console = true",
  "log.file = false",
];

/**
 * Starts a private node of that installation, independent of other RabbitMQ nodes on the machine:
 * with its own data, configuration, cookie, port mapper and distribution port, all on loopback. Its
 * only user is `admin`, with the password in the data folder; there is no `guest`. Resolves when
 * the AMQP and management ports accept connections; throws with the reason otherwise.
 */
export async function startRabbitmqNode(
  installation: RabbitmqInstallation,
  options: RabbitmqNodeOptions,
): Promise<AsyncDisposable & { readonly child: Child }> {
  assertSupported(installation.home);
  const { nursery, dataDir, amqpPort, managementPort, name } = options;
  const [epmdPort, distPort] = (await findFreePorts(2)) as [number, number];
  writeConfiguration(options);
  const folder = await plainPathOf(dataDir);
  const env = {
    ...installation.env,
    LC_ALL: "C.UTF-8",
    // The cookie is here, so that the node does not use the user's home.
    HOME: folder,
    ERL_EPMD_ADDRESS: host,
    ERL_EPMD_PORT: String(epmdPort),
  };

  await using started = new AsyncDisposableStack();
  // A child process; the daemon that Erlang would start outlives its nodes.
  const epmd = started.use(
    await nursery.spawn({ name: `${name}-epmd`, command: installation.epmd, args: [], env }),
  );
  await waitUntilReady({
    what: "Erlang's port mapper",
    child: epmd,
    isReady: () => isListening(epmdPort),
    timeoutMs: epmdTimeoutMs,
  });
  const child = started.use(
    await nursery.spawn({
      name,
      // A relative path, because the script does not quote its own path.
      command: "./sbin/rabbitmq-server",
      args: [],
      cwd: installation.home,
      env: { ...env, ...nodeEnvironment(folder, distPort) },
      stopTimeoutMs,
    }),
  );
  await waitUntilReady({
    what: "RabbitMQ",
    child,
    isReady: async () => (await isListening(amqpPort)) && (await isListening(managementPort)),
    timeoutMs: startTimeoutMs,
  });
  const owned = started.move();
  return { child, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Returns the administrator's password, created at the first start and kept with the data. */
export function readAdminPassword(dataDir: string): string {
  return readSecret(join(dataDir, "admin-password"));
}

function writeConfiguration(options: RabbitmqNodeOptions): void {
  const { dataDir, amqpPort, managementPort, metricsPort } = options;
  const hasMetrics = metricsPort !== undefined;
  const settings = [
    `listeners.tcp.1 = ${host}:${amqpPort}`,
    `management.tcp.ip = ${host}`,
    `management.tcp.port = ${managementPort}`,
    `default_user = ${adminUser}`,
    `default_pass = ${readAdminPassword(dataDir)}`,
    ...(hasMetrics ? [`prometheus.tcp.ip = ${host}`, `prometheus.tcp.port = ${metricsPort}`] : []),
    ...sharedSettings,
  ];
  const plugins = ["rabbitmq_management", ...(hasMetrics ? ["rabbitmq_prometheus"] : [])];
  writeFileSync(join(dataDir, "rabbitmq.conf"), `${settings.join("\n")}\n`, { mode: 0o600 });
  writeFileSync(join(dataDir, "enabled_plugins"), `[${plugins.join(",")}].\n`);
}

function nodeEnvironment(dataDir: string, distPort: number): NodeJS.ProcessEnv {
  const inDataDir = (file: string) => join(dataDir, file);
  return {
    RABBITMQ_NODENAME: "settle@localhost",
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_MNESIA_BASE: inDataDir("node"),
    RABBITMQ_LOG_BASE: inDataDir("logs"),
    RABBITMQ_CONFIG_FILE: inDataDir("rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: inDataDir("enabled_plugins"),
    // These files do not exist. They prevent the node from reading those of an installed RabbitMQ.
    RABBITMQ_CONF_ENV_FILE: inDataDir("no-environment.conf"),
    RABBITMQ_ADVANCED_CONFIG_FILE: inDataDir("no-advanced.config"),
    RABBITMQ_CONFIG_FILES: inDataDir("no-conf.d"),
    // The script then becomes the node instead of waiting for it: one child process.
    RABBITMQ_ALLOW_INPUT: "true",
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-noinput -kernel inet_dist_use_interface {127,0,0,1}",
    ERL_CRASH_DUMP: inDataDir("erl_crash.dump"),
  };
}

function assertSupported(home: string): void {
  const [plugin] = globSync(join(home, "plugins/rabbit-[0-9]*"));
  const version = /rabbit-(\d+)\.(\d+)/.exec(plugin ?? "");
  if (version === null) throw new Error(`there is no RabbitMQ in ${home}`);
  const [, major, minor] = version.map(Number) as [number, number, number];
  const [oldestMajor, oldestMinor] = oldestVersion;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Error(
      `RabbitMQ ${major}.${minor} is too old: install ${oldestVersion.join(".")} or newer`,
    );
  }
}
