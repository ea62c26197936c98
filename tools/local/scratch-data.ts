import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dropPostgresData } from "./postgres/postgres.ts";
import { dropRabbitmqData } from "./rabbitmq/rabbitmq.ts";

/** A data folder as `DATA_DIR` is one. Disposing removes it, once what runs on it has stopped. */
export type ScratchData = AsyncDisposable & {
  readonly folder: string;
};

/** Makes a new `<parent>/<prefix>…`; without `parent`, in the system's temporary folder. */
export function createScratchData(prefix: string, parent = tmpdir()): ScratchData {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, prefix));
  // PostgreSQL may run as another user than we do.
  chmodSync(folder, 0o755);
  return {
    folder,
    async [Symbol.asyncDispose]() {
      await dropServersData(folder, process.env);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Removes what PostgreSQL and RabbitMQ keep for this data folder, wherever it had to be placed. */
export async function dropServersData(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  dropPostgresData(join(folder, "postgres"));
  await dropRabbitmqData({ dataDir: join(folder, "rabbitmq"), env });
}
