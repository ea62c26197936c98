import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

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
