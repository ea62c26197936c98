import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** The scope of the packages in this repository. */
const ownScope = "@settle";
const listMaxBytes = 64 * 2 ** 20;

/**
 * Copies a project to a new folder, ready to run: the files that git tracks or does not ignore, the
 * third-party protos, and a `node_modules` with links to the packages of the original. Packages of
 * the repository itself link to the copy. Requires git; throws if `root` is not in a working tree.
 */
export function copyProject(root: string, folder: string): void {
  for (const file of listFiles(root)) {
    // A deletion that is not committed yet.
    if (!existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  const protos = ".cache/protos";
  if (existsSync(join(root, protos))) {
    cpSync(join(root, protos), join(folder, protos), { recursive: true });
  }
  linkPackages(join(root, "node_modules"), join(folder, "node_modules"));
}

/** Returns the paths of the files that git tracks or does not ignore. */
function listFiles(root: string): readonly string[] {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const options = { cwd: root, encoding: "utf8", maxBuffer: listMaxBytes } as const;
  return [...new Set(execFileSync("git", args, options).split("\0").filter(Boolean))];
}

function linkPackages(from: string, to: string): void {
  mkdirSync(join(to, ownScope), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== ownScope) symlinkSync(join(from, name), join(to, name));
  }
  // The links are relative, so the same targets point into the copy.
  for (const name of readdirSync(join(from, ownScope))) {
    symlinkSync(readlinkSync(join(from, ownScope, name)), join(to, ownScope, name));
  }
}
