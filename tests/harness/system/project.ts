import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { copyProject } from "../../../tools/new-service/project-copy.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** A copy of this project, committed to its own git repository. Disposing removes it. */
export type Project = Disposable & {
  readonly folder: string;
  /** Returns the uncommitted changes by path, as in `git status`. */
  status(): readonly string[];
  /** Runs a program until it ends, or stops it after it has printed `stopAt`. */
  run(args: readonly string[], options?: { readonly stopAt?: string }): Promise<Run>;
};

/** The exit and the output of a program. */
export type Run = { readonly code: number | null; readonly output: string };

/** Copies this project, with uncommitted changes. */
export function createProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), "settle-project-"));
  const git = (...args: string[]) => {
    const settings = ["user.name=test", "user.email=test@example.com", "commit.gpgsign=false"];
    return execFileSync("git", [...settings.flatMap((setting) => ["-c", setting]), ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" },
    });
  };
  copyProject(root, folder);
  git("init", "--quiet");
  git("add", ".");
  git("commit", "--quiet", "--message=Settle");
  return {
    folder,
    status() {
      const lines = git("status", "--porcelain", "--untracked-files=all").split("\n");
      return lines.filter(Boolean).map((line) => line.slice(3));
    },
    async run(args, { stopAt } = {}) {
      const child = spawn(process.execPath, args, {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      });
      child.stdout.on("data", (chunk) => {
        if (stopAt !== undefined && String(chunk).includes(stopAt)) child.kill("SIGINT");
      });
      const [out, err, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "close"),
      ]);
      return { code, output: out + err };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
