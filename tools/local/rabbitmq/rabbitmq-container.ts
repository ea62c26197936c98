import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Child } from "../process/nursery.ts";
import { waitUntilReady } from "../process/ready.ts";
import { findProgram, runTool } from "../process/run-tool.ts";
import {
  adminUser,
  type RabbitmqNodeOptions,
  readAdminPassword,
  sharedSettings,
} from "./rabbitmq-node.ts";

const image = "docker.io/library/rabbitmq:4.3.6-management";
const answerTimeoutMs = 10_000;
const pullTimeoutMs = 600_000;
const startTimeoutMs = 120_000;
const stopTimeoutMs = 30_000;
const checkTimeoutMs = 2_000;

/**
 * Starts RabbitMQ in a container with ports on loopback, using Docker or else Podman. Its data is
 * in a volume named after the data folder; a file in the data folder records the name. Throws with
 * the reason if there is no engine or no image, or the container does not start.
 */
export async function startRabbitmqContainer(
  options: RabbitmqNodeOptions & {
    readonly env: NodeJS.ProcessEnv;
    readonly signal?: AbortSignal | undefined;
    readonly log: (line: string) => void;
  },
): Promise<AsyncDisposable & { readonly child: Child }> {
  const { nursery, dataDir, amqpPort, managementPort, metricsPort, name } = options;
  const { env, signal, log } = options;
  const engine = await findEngine(env, signal);
  const run = (args: string[], timeoutMs: number) =>
    runTool(engine, args, { env, signal, timeoutMs });
  const isPresent = await run(["image", "inspect", image], answerTimeoutMs).then(
    () => true,
    () => false,
  );
  if (!isPresent) {
    log(`downloading the image ${image} once, about 110 MB`);
    await run(["pull", "--quiet", image], pullTimeoutMs);
  }
  const container = `settle-rabbitmq-${hash(resolve(dataDir))}`;
  await run(["rm", "--force", container], answerTimeoutMs);
  const password = readAdminPassword(dataDir);
  writeFileSync(volumeNote(dataDir), `${engine}\n${container}\n`);
  const settings = join(dataDir, "container.conf");
  writeFileSync(settings, `${sharedSettings.join("\n")}\n`);

  const child = await nursery.spawn({
    name,
    command: engine,
    args: [
      ...["run", "--rm", "--name", container, "--hostname", "settle"],
      ...["--publish", `127.0.0.1:${amqpPort}:5672`],
      ...["--publish", `127.0.0.1:${managementPort}:15672`],
      // The image serves metrics unless told otherwise.
      ...(metricsPort === undefined ? [] : ["--publish", `127.0.0.1:${metricsPort}:15692`]),
      ...["--volume", `${container}:/var/lib/rabbitmq`],
      ...["--volume", `${resolve(settings)}:/etc/rabbitmq/conf.d/90-settle.conf:ro`],
      // The values come from the environment, so that process lists do not show them.
      ...["--env", "RABBITMQ_DEFAULT_USER", "--env", "RABBITMQ_DEFAULT_PASS", image],
    ],
    env: { ...env, RABBITMQ_DEFAULT_USER: adminUser, RABBITMQ_DEFAULT_PASS: password },
    stopTimeoutMs,
  });
  await waitUntilReady({
    what: "RabbitMQ's container",
    child,
    isReady: () => isServing(managementPort, password),
    timeoutMs: startTimeoutMs,
  });
  return { child, [Symbol.asyncDispose]: () => child.stop() };
}

/** Removes the volume of a data folder, if there is one. */
export async function dropRabbitmqVolume(options: {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
}): Promise<void> {
  const note = volumeNote(options.dataDir);
  if (!existsSync(note)) return;
  const [engine = "", volume = ""] = readFileSync(note, "utf8").split("\n");
  await runTool(engine, ["volume", "rm", "--force", volume], {
    env: options.env,
    timeoutMs: answerTimeoutMs,
  });
}

async function findEngine(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<string> {
  const reasons: string[] = [];
  for (const engine of ["docker", "podman"]) {
    if (findProgram(engine, env) === undefined) continue;
    try {
      await runTool(engine, ["info"], { env, signal, timeoutMs: answerTimeoutMs });
      return engine;
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(reasons.join("; ") || "neither Docker nor Podman is installed");
}

/** Asks the broker, because the engine accepts connections before the broker listens. */
async function isServing(managementPort: number, password: string): Promise<boolean> {
  const url = `http://127.0.0.1:${managementPort}/api/health/checks/port-listener/5672`;
  const authorization = `Basic ${btoa(`${adminUser}:${password}`)}`;
  try {
    const response = await fetch(url, {
      headers: { authorization },
      signal: AbortSignal.timeout(checkTimeoutMs),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function volumeNote(dataDir: string): string {
  return join(dataDir, "container-volume");
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
