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
  "any other:      install Docker or Podman, or set AMQP_URL to a RabbitMQ 3.10 or newer",
];
/** Where packages put programs that only administrators have in PATH. */
const systemFolders = ["/usr/lib/rabbitmq/bin", "/usr/sbin", "/usr/local/sbin"];

export type RabbitmqOptions = {
  readonly nursery: Nursery;
  /** Made where missing; holds the data and the administrator's password (mode 0600). */
  readonly dataDir: string;
  /** Where downloads are kept. */
  readonly cacheDir: string;
  readonly amqpPort: number;
  readonly managementPort: number;
  /** Names the log file; default `rabbitmq`. */
  readonly name?: string;
  /** Our own environment: PATH to find programs, and whatever installers need (proxies). */
  readonly env: NodeJS.ProcessEnv;
  /** Aborting it ends a download. */
  readonly signal?: AbortSignal | undefined;
  /** Gets a line for each download. */
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
 * Starts a private RabbitMQ on loopback: the one installed on this machine, else the
 * distribution's packages unpacked into the cache, else a container. A way that fails falls
 * through to the next; if none works it throws `PartFailure` with every reason and what to install.
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
  const lines = [...reasons, "To help it, do one of these and start again:", ...advice];
  throw new PartFailure(`RabbitMQ could not be started.\n  ${lines.join("\n  ")}`);
}

/** Removes a data folder and everything that lies elsewhere because of it. */
export async function dropRabbitmqData(options: {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
}): Promise<void> {
  await dropRabbitmqVolume(options);
  rmSync(options.dataDir, { recursive: true, force: true });
}

/**
 * The installation behind `rabbitmq-server`. Where that is the wrapper of Debian and Red Hat, which
 * switches the user, the real script lies where their packages put RabbitMQ itself.
 */
function findInstalled(env: NodeJS.ProcessEnv): RabbitmqInstallation {
  const server = findProgram("rabbitmq-server", env, systemFolders);
  const epmd = findProgram("epmd", env, systemFolders);
  if (server === undefined) throw new Error("there is no rabbitmq-server in PATH");
  if (epmd === undefined) throw new Error("there is no epmd (Erlang) in PATH");
  const own = dirname(dirname(server));
  const [packaged] = globSync("/usr/lib/rabbitmq/lib/rabbitmq_server-*");
  const isWhole = globSync(join(own, "plugins/rabbit-[0-9]*")).length > 0;
  const home = isWhole ? own : (packaged ?? own);
  return { home, epmd, env: { PATH: env.PATH } };
}
