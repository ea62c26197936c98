import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fetchThirdPartyProtos } from "../generate/third-party-protos.ts";
import { runTool } from "../local/process/run-tool.ts";
import { type Change, findChanges } from "./changes.ts";
import { copyProject } from "./project-copy.ts";

const prefix = "new-service-";
const generateTimeoutMs = 300_000;
const formatTimeoutMs = 120_000;

/** A copy of the project in which changes are prepared. Disposing deletes the copy. */
export type Staging = Disposable & {
  readonly folder: string;
  read(file: string): string;
  write(file: string, text: string): void;
  remove(path: string): void;
  /** Formats the code in a folder. */
  format(folder: string): Promise<void>;
  /** Regenerates all generated files. */
  generate(): Promise<void>;
  /**
   * Returns the changed files that match `patterns`. Throws if one of them was also changed in the
   * project since it was copied.
   */
  changes(patterns: readonly string[]): readonly Change[];
};

/** Copies the project at `root` into its `.cache`; `signal` stops programs that run in the copy. */
export async function createStaging(root: string, signal: AbortSignal): Promise<Staging> {
  const cache = join(root, ".cache");
  mkdirSync(cache, { recursive: true });
  removeAbandoned(cache);
  await fetchThirdPartyProtos(root);
  const folder = join(cache, `${prefix}${process.pid}`);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const originals = new Map<string, Buffer>();
  try {
    copyProject(root, folder);
  } catch (error) {
    remove();
    throw error;
  }
  const run = (args: readonly string[], timeoutMs: number) =>
    runTool(process.execPath, args, { env: process.env, cwd: folder, signal, timeoutMs });
  const keep = (file: string) => {
    const path = join(folder, file);
    if (!originals.has(file) && existsSync(path)) originals.set(file, readFileSync(path));
    return path;
  };
  return {
    folder,
    read: (file) => readFileSync(join(folder, file), "utf8"),
    write(file, text) {
      const path = keep(file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    },
    remove: (path) => rmSync(join(folder, path), { recursive: true, force: true }),
    async format(path) {
      const biome = join(folder, "node_modules/@biomejs/biome/bin/biome");
      const config = join(folder, ".cache", "biome.json");
      // Without the lint rules: some of them read all code before a single file is formatted.
      const { formatter } = JSON.parse(readFileSync(join(folder, "biome.json"), "utf8"));
      writeFileSync(config, JSON.stringify({ formatter, linter: { enabled: false } }));
      await run([biome, "check", "--write", `--config-path=${config}`, path], formatTimeoutMs);
    },
    async generate() {
      await run([join(folder, "tools/generate/generate.ts")], generateTimeoutMs);
    },
    changes(patterns) {
      const changes = findChanges(root, folder, patterns);
      for (const { file, before } of changes) {
        const original = originals.get(file);
        if (original && !before?.equals(original)) {
          throw new Error(`nothing was written: ${file} was changed during the run; try again`);
        }
      }
      return changes;
    },
    [Symbol.dispose]: remove,
  };
}

/** Deletes copies left by runs that were killed. */
function removeAbandoned(cache: string): void {
  for (const name of readdirSync(cache)) {
    const pid = Number(name.startsWith(prefix) && name.slice(prefix.length));
    if (pid > 0 && !isAlive(pid)) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
