import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The user of a process; empty for the current user. */
export type RunAs = {
  readonly uid?: number;
  readonly gid?: number;
};

/**
 * Returns the user for PostgreSQL, which refuses to run as root: `nobody` if the current user is
 * root, or else the current user.
 */
export function findUnprivilegedUser(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
  return { uid: Number(entry?.[1] ?? 65_534), gid: Number(entry?.[2] ?? 65_534) };
}

/** Whether the user has access to the folder, with all modes and mounts on the way. */
export function canReach(user: RunAs, folder: string): boolean {
  const tried = spawnSync("/bin/sh", ["-c", 'cd "$1"', "sh", folder], { cwd: "/", ...user });
  return tried.status === 0;
}
