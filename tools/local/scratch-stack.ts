import { join } from "node:path";
import { systemClock } from "@settle/chassis/base/clock";
import type { EdgeSettings } from "../../edge/render.ts";
import { type Issuer, openIssuer } from "../dev-issuer/issuer.ts";
import type { LocalConfig } from "./config.ts";
import { findStackPorts } from "./ports.ts";
import { type Nursery, startNursery } from "./process/nursery.ts";
import type { ReportState } from "./process/supervise.ts";
import { readAdminPassword } from "./rabbitmq/rabbitmq-node.ts";
import { createScratchData } from "./scratch-data.ts";
import { startStack } from "./stack.ts";

/** A system for one use. Disposing it stops the system and removes its data. */
export type ScratchStack = AsyncDisposable & {
  /** The data folder. */
  readonly folder: string;
  readonly ports: LocalConfig["ports"];
  /** The process ids, by the name of the process. */
  readonly pids: ReadonlyMap<string, number>;
  /** Signs tokens in this process, with the keys and claims of the issuer of the system. */
  readonly issuer: Issuer;
  /** The URL of the virtual host, with an administrator's credentials. */
  readonly amqpUrl: string;
};

/** Starts the system as `npm start` does, on free ports and with its own data. */
export async function startScratchStack(options: {
  /** The project's root. */
  readonly root: string;
  /** The beginning of the name of the data folder. */
  readonly prefix: string;
  /** The parent of the data folder; by default, the system's temporary folder. */
  readonly parent?: string;
  /** Whether to serve the page. */
  readonly page: boolean;
  /** Settings of the edge that differ from `edge/envoy.yaml`; by default none. */
  readonly edge?: EdgeSettings;
  /** Variables of the services; by default, none are changed. */
  readonly serviceEnv?: Readonly<Record<string, string>>;
  /** Wraps the nursery of the system; by default, it is used as it is. */
  readonly wrap?: (nursery: Nursery) => Nursery;
  readonly report: ReportState;
  /** Aborting it stops all processes, also during startup: the start then fails. */
  readonly signal: AbortSignal;
}): Promise<ScratchStack> {
  const {
    serviceEnv = {},
    root,
    prefix,
    parent,
    page,
    edge,
    wrap = (nursery) => nursery,
    report,
    signal,
  } = options;
  await using starting = new AsyncDisposableStack();
  const { folder } = starting.use(createScratchData(prefix, parent));
  const nursery = starting.use(await startNursery({ folder }));
  signal.addEventListener("abort", () => void nursery[Symbol.asyncDispose]());
  const stopping = new AbortController();
  starting.defer(() => stopping.abort());
  const ports = await findStackPorts();
  await startStack({
    config: {
      help: false,
      fresh: false,
      ports,
      broker: undefined,
      page,
      serviceEnv,
      dataDir: folder,
      logLevel: "warn",
      env: process.env,
    },
    root,
    cacheDir: join(root, ".cache"),
    nursery: wrap(nursery),
    edge,
    // Processes that exit because we stop must not be restarted.
    signal: AbortSignal.any([signal, stopping.signal]),
    report,
  });
  const issuer = await openIssuer({
    folder: join(folder, "issuer"),
    issuer: `http://localhost:${ports.auth}`,
    audience: "settle",
    clock: systemClock,
  });
  const running = starting.move();
  return {
    folder,
    ports,
    pids: nursery.pids(),
    issuer,
    amqpUrl: `amqp://admin:${readAdminPassword(join(folder, "rabbitmq"))}@127.0.0.1:${ports.amqp}/settle`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
