import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const fileMaxBytes = 64 * 2 ** 20;

/**
 * Returns the files below these paths with uncommitted changes, including ignored files. Throws if
 * `root` is not the top of a git working tree.
 */
export function findUncommitted(root: string, paths: readonly string[]): readonly string[] {
  if (!existsSync(join(root, ".git"))) {
    throw new Error(
      "this folder is not the top of a git working tree, which is needed to review the changes; " +
        "create one: git init && git add . && git commit -m Settle",
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

/** Returns the text of a file as of the last commit; empty if the file is not in it. */
export function readCommitted(root: string, file: string): string {
  const { status, stdout } = spawnSync("git", ["show", `HEAD:${file}`], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: fileMaxBytes,
  });
  return status === 0 ? stdout : "";
}
