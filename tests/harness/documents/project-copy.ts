import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";

/**
 * Copies the project at `root` into the empty folder `target`: all files that git does not ignore,
 * with uncommitted changes. Installed packages are links to those of `root`, except the workspaces,
 * which are those of the copy.
 */
export function copyProject(root: string, target: string): void {
  const listed = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  for (const file of listed.split("\0").filter((name) => name && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    copyFileSync(join(root, file), join(target, file));
  }
  linkPackages(join(root, "node_modules"), join(target, "node_modules"));
  mkdirSync(join(target, ".cache"));
  symlinkSync(join(root, ".cache/protos"), join(target, ".cache/protos"));
}

function linkPackages(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), join(to, name));
    else if (name === "@settle") linkPackages(path, join(to, name));
    else symlinkSync(path, join(to, name));
  }
}
