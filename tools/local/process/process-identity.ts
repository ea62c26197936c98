import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { platform } from "node:process";

/**
 * The index of the start time in `/proc/<pid>/stat`, counted from the field after the command name.
 */
const startTimeField = 19;

/**
 * Returns the start time of a process, which distinguishes it from later processes with the same
 * pid; undefined if it is not running.
 */
export function readProcessIdentity(pid: number): string | undefined {
  try {
    if (platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // A zombie has ended, but its parent has not waited for it.
      return fields[0] === "Z" ? undefined : fields[startTimeField];
    }
    const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return started.trim().replaceAll(/\s+/g, "-") || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the command line of a running process, joined with spaces; empty if it is not running.
 */
export function readCommandLine(pid: number): string {
  try {
    if (platform === "linux") {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    }
    return execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}
