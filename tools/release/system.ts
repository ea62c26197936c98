import { startScratchStack } from "../local/scratch-stack.ts";
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
  const stack = starting.use(
    await startScratchStack({
      root,
      prefix: "settle-release-",
      page: false,
      // A recording has each event as it is alone.
      serviceEnv: { EVENT_BATCHES: "off" },
      signal,
      report: (name, state, detail) => log(`${name}: ${state}${detail && ` (${detail})`}`),
    }),
  );
  const { ports, issuer, amqpUrl } = stack;
  const paymentsPid = stack.pids.get("payments");
  if (paymentsPid === undefined) throw new Error("payments was not started");
  const running = starting.move();
  return {
    edgeUrl: `http://localhost:${ports.edge}`,
    token: (userId, admin) => issuer.sign({ userId, scopes: admin ? ["admin"] : [] }),
    paymentsPid,
    amqpUrl,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
