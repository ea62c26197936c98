import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { platform } from "node:process";

/** Position of the start time in `/proc/<pid>/stat`, counted from the field behind the command's name. */
const startTimeField = 19;

/**
 * A word that differs between two processes that got the same pid one after the other: the time the
 * process started. Undefined where no such process runs.
 */
export function readProcessIdentity(pid: number): string | undefined {
  try {
    if (platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // A zombie has ended already: only its parent has not looked yet.
      return fields[0] === "Z" ? undefined : fields[startTimeField];
    }
    const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return started.trim().replaceAll(/\s+/g, "-") || undefined;
  } catch {
    return undefined;
  }
}

/** The command line of a running process, its words joined by spaces; empty where there is none. */
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
