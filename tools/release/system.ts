import { join } from "node:path";
import { systemClock } from "@settle/chassis/base/clock";
import { openIssuer } from "../dev-issuer/issuer.ts";
import { findStackPorts } from "../local/ports.ts";
import { startNursery } from "../local/process/nursery.ts";
import { readAdminPassword } from "../local/rabbitmq/rabbitmq-node.ts";
import { createScratchData } from "../local/scratch-data.ts";
import { startStack } from "../local/stack.ts";
import type { Stage } from "./play.ts";

/** The system whose behaviour is recorded. Disposing it stops the system and removes its data. */
export type RecordedSystem = AsyncDisposable &
  Omit<Stage, "types"> & {
    /** The URL of the virtual host, with an administrator's credentials. */
    readonly amqpUrl: string;
  };

/** Starts the system as `npm start` does, on its own ports and data, without the page. */
export async function startRecordedSystem(options: {
  /** The project's root. */
  readonly root: string;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}): Promise<RecordedSystem> {
  const { root, signal, log } = options;
  await using starting = new AsyncDisposableStack();
  const { folder } = starting.use(createScratchData("settle-release-"));
  const nursery = starting.use(await startNursery({ folder }));
  // Stops all processes, also during startup: callers that wait for them then fail.
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
      page: false,
      dataDir: folder,
      logLevel: "warn",
      env: process.env,
    },
    root,
    cacheDir: join(root, ".cache"),
    nursery,
    // Processes that exit because we stop must not be restarted.
    signal: AbortSignal.any([signal, stopping.signal]),
    report: (name, state, detail) => log(`${name}: ${state}${detail && ` (${detail})`}`),
  });
  // Uses the keys and claims of the issuer that the stack has started.
  const issuer = await openIssuer({
    folder: join(folder, "issuer"),
    issuer: `http://localhost:${ports.auth}`,
    audience: "settle",
    clock: systemClock,
  });
  const paymentsPid = nursery.pids().get("payments");
  if (paymentsPid === undefined) throw new Error("payments was not started");
  const running = starting.move();
  return {
    edgeUrl: `http://localhost:${ports.edge}`,
    token: (userId, admin) => issuer.sign({ userId, scopes: admin ? ["admin"] : [] }),
    paymentsPid,
    amqpUrl: `amqp://admin:${readAdminPassword(join(folder, "rabbitmq"))}@127.0.0.1:${ports.amqp}/settle`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
