import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const fileMaxBytes = 64 * 2 ** 20;

/**
 * The files below these paths with changes that git does not have, ignored ones included. Throws where
 * `root` is not the top of a working tree of git.
 */
export function findUncommitted(root: string, paths: readonly string[]): readonly string[] {
  if (!existsSync(join(root, ".git"))) {
    throw new Error(
      "this folder is no working tree of git, by which you could see what was written: " +
        "git init && git add . && git commit -m Settle",
    );
  }
  const options = ["--porcelain", "-z", "--untracked-files=all", "--ignored", "--no-renames"];
  const output = execFileSync("git", ["status", ...options, "--", ...paths], {
    cwd: root,
    encoding: "utf8",
  });
  return output
    .split("\0")
    .filter(Boolean)
    .map((line) => line.slice(3));
}

/** The text of a file as it was last committed; empty for one that never was. */
export function readCommitted(root: string, file: string): string {
  const { status, stdout } = spawnSync("git", ["show", `HEAD:${file}`], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: fileMaxBytes,
  });
  return status === 0 ? stdout : "";
}
