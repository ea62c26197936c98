import { globSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Child, Nursery } from "../process/nursery.ts";
import { PartFailure } from "../process/ready.ts";
import { findProgram } from "../process/run-tool.ts";
import { dropRabbitmqVolume, startRabbitmqContainer } from "./rabbitmq-container.ts";
import { unpackDebianRabbitmq } from "./rabbitmq-debian.ts";
import {
  adminUser,
  type RabbitmqInstallation,
  readAdminPassword,
  startRabbitmqNode,
} from "./rabbitmq-node.ts";

const advice = [
  "Debian, Ubuntu: sudo apt-get install rabbitmq-server",
  "Fedora, RHEL:   sudo dnf install rabbitmq-server",
  "macOS:          brew install rabbitmq",
  "Other systems:  install Docker or Podman, or set AMQP_URL to RabbitMQ 3.10 or newer",
];
/** Folders of packaged programs that are often not in the PATH of users. */
const systemFolders = ["/usr/lib/rabbitmq/bin", "/usr/sbin", "/usr/local/sbin"];

export type RabbitmqOptions = {
  readonly nursery: Nursery;
  /** The folder of the data and the administrator's password (mode 0600); created if missing. */
  readonly dataDir: string;
  /** The folder for downloads. */
  readonly cacheDir: string;
  readonly amqpPort: number;
  readonly managementPort: number;
  /** Where it serves its metrics; by default it does not. */
  readonly metricsPort?: number;
  /** Names the log file; default `rabbitmq`. */
  readonly name?: string;
  /** The environment of this process: PATH, and the settings that installers need (proxies). */
  readonly env: NodeJS.ProcessEnv;
  /** Aborting it cancels a download. */
  readonly signal?: AbortSignal | undefined;
  /** Called with a line for each download. */
  readonly log: (line: string) => void;
};

/** A RabbitMQ that accepts connections. Disposing it stops it cleanly. */
export interface RunningRabbitmq extends AsyncDisposable {
  /** The administrator's AMQP URL without a vhost. */
  readonly amqpUrl: string;
  /** The management API's URL with the administrator's credentials. */
  readonly managementUrl: string;
  readonly child: Child;
}

/**
 * Starts a private RabbitMQ on loopback: the one installed on this machine; or else the packages of
 * the distribution, unpacked into the cache; or else a container. If one way fails, the next is
 * tried. Throws `PartFailure` with all reasons and installation instructions if none works.
 */
export async function startRabbitmq(options: RabbitmqOptions): Promise<RunningRabbitmq> {
  const { dataDir, amqpPort, managementPort, name = "rabbitmq" } = options;
  const named = { ...options, name };
  const ways = {
    "installed on this machine": async () => startRabbitmqNode(findInstalled(options.env), named),
    "this system's packages, unpacked": async () =>
      startRabbitmqNode(await unpackDebianRabbitmq(options), named),
    "a container": () => startRabbitmqContainer(named),
  };
  const reasons: string[] = [];
  for (const [way, start] of Object.entries(ways)) {
    try {
      const broker = await start();
      const credentials = `${adminUser}:${readAdminPassword(dataDir)}`;
      return {
        amqpUrl: `amqp://${credentials}@127.0.0.1:${amqpPort}`,
        managementUrl: `http://${credentials}@127.0.0.1:${managementPort}`,
        child: broker.child,
        [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
      };
    } catch (error) {
      reasons.push(`${way}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const lines = [...reasons, "Do one of the following and start again:", ...advice];
  throw new PartFailure(`RabbitMQ could not be started.\n  ${lines.join("\n  ")}`);
}

/** Removes a data folder, and its volume if there is one. */
export async function dropRabbitmqData(options: {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
}): Promise<void> {
  await dropRabbitmqVolume(options);
  rmSync(options.dataDir, { recursive: true, force: true });
}

/**
 * Finds the installation of `rabbitmq-server`. If it is the wrapper of Debian or Red Hat, which
 * switches the user, returns the folder of the real script in their packages.
 */
function findInstalled(env: NodeJS.ProcessEnv): RabbitmqInstallation {
  const server = findProgram("rabbitmq-server", env, systemFolders);
  const epmd = findProgram("epmd", env, systemFolders);
  if (server === undefined) throw new Error("rabbitmq-server is not in PATH");
  if (epmd === undefined) throw new Error("epmd (Erlang) is not in PATH");
  const own = dirname(dirname(server));
  const [packaged] = globSync("/usr/lib/rabbitmq/lib/rabbitmq_server-*");
  const isWhole = globSync(join(own, "plugins/rabbit-[0-9]*")).length > 0;
  const home = isWhole ? own : (packaged ?? own);
  return { home, epmd, env: { PATH: env.PATH } };
}
