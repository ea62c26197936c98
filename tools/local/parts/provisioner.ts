import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { perService } from "../../../services/services.ts";
import {
  provisionerUser,
  provisionQueues,
  type ServicePasswords,
} from "../../provision/provision.ts";
import type { Child, Nursery } from "../process/nursery.ts";
import { readSecret } from "../secrets.ts";

/** Returns the passwords of the services; the first call creates them. */
export function readPasswords(dataDir: string): ServicePasswords {
  const folder = folderIn(dataDir);
  return perService((name) => readSecret(join(folder, name)));
}

/** Ensures that the broker has the queues and users of the system; see {@link provisionQueues}. */
export function provisionLocalQueues(managementUrl: string, dataDir: string): Promise<void> {
  return provisionQueues(managementUrl, readPasswords(dataDir), provisionerPassword(dataDir));
}

/** Starts `tools/provision/main.ts --watch`, which creates queues again that somebody deletes. */
export function startProvisioner(options: {
  readonly nursery: Nursery;
  /** The project's root. */
  readonly root: string;
  /** The URL of the management API; credentials in it are not used. */
  readonly broker: string;
  readonly dataDir: string;
  readonly metricsPort: number;
  readonly logLevel: string;
}): Promise<Child> {
  const { nursery, root, broker, dataDir, metricsPort, logLevel } = options;
  const url = new URL(broker);
  Object.assign(url, { username: provisionerUser, password: provisionerPassword(dataDir) });
  return nursery.spawn({
    name: "provisioner",
    command: process.execPath,
    args: [join(root, "tools/provision/main.ts"), "--watch"],
    cwd: root,
    env: {
      RABBITMQ_MANAGEMENT_URL: url.href,
      METRICS_PORT: String(metricsPort),
      LOG_LEVEL: logLevel,
    },
  });
}

function provisionerPassword(dataDir: string): string {
  return readSecret(join(folderIn(dataDir), provisionerUser));
}

function folderIn(dataDir: string): string {
  const folder = join(dataDir, "passwords");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
