import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dropPostgresData } from "./postgres/postgres.ts";
import { dropRabbitmqData } from "./rabbitmq/rabbitmq.ts";

/** A data folder, as for `DATA_DIR`. Disposing removes it; stop the processes that use it first. */
export type ScratchData = AsyncDisposable & {
  readonly folder: string;
};

/** Creates a folder `<parent>/<prefix>…`, by default in the system's temporary folder. */
export function createScratchData(prefix: string, parent = tmpdir()): ScratchData {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, prefix));
  // PostgreSQL may run as another user.
  chmodSync(folder, 0o755);
  return {
    folder,
    async [Symbol.asyncDispose]() {
      await dropServersData(folder, process.env);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Removes the data of PostgreSQL and RabbitMQ for this data folder, also if it is elsewhere. */
export async function dropServersData(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  dropPostgresData(join(folder, "postgres"));
  await dropRabbitmqData({ dataDir: join(folder, "rabbitmq"), env });
}
