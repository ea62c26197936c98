import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A user to run a process as; empty to run it as ourselves. */
export type RunAs = {
  readonly uid?: number;
  readonly gid?: number;
};

/**
 * PostgreSQL refuses to run as root, so root runs it as the user `nobody`. Everybody else runs it
 * as themselves.
 */
export function findUnprivilegedUser(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
  return { uid: Number(entry?.[1] ?? 65_534), gid: Number(entry?.[2] ?? 65_534) };
}

/** Whether that user can reach the folder, whatever modes and mounts lie on the way. */
export function canReach(user: RunAs, folder: string): boolean {
  const tried = spawnSync("/bin/sh", ["-c", 'cd "$1"', "sh", folder], { cwd: "/", ...user });
  return tried.status === 0;
}
