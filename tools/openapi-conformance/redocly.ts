import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** Turns off telemetry and the check for updates. */
const quiet = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
const maxOutputBytes = 1_000_000_000;
const maxProblems = 1_000;
const timeoutMs = 300_000;

type Result = {
  readonly problems: readonly {
    readonly ruleId: string;
    readonly message: string;
    readonly location: readonly { readonly pointer?: string }[];
  }[];
};

/**
 * Returns the errors and warnings of Redocly's linter for OpenAPI documents, one per line; empty if
 * there are none. `spec` checks the rules of the specification, `recommended` more. The files are
 * below `root`. Throws if there is no result for each of them within 5 minutes.
 */
export function lint(
  root: string,
  files: readonly string[],
  rules: "spec" | "recommended",
): readonly string[] {
  const config = join(import.meta.dirname, `redocly-${rules}.yaml`);
  const options = ["--config", config, "--format", "json", "--max-problems", `${maxProblems}`];
  const { status, stdout, stderr, error } = spawnSync("redocly", ["lint", ...options, ...files], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...quiet },
    maxBuffer: maxOutputBytes,
    timeout: timeoutMs,
  });
  if (error) throw error;
  // The results of the files, one after another.
  const results = JSON.parse(`[${stdout.replaceAll("\n}{", "\n},{")}]`) as readonly Result[];
  const lines = results.flatMap(({ problems }, index) =>
    problems.map(({ ruleId, message, location: [at] }) => {
      return `${files[index]}: ${at?.pointer ?? ""}: ${message} (${ruleId})`;
    }),
  );
  if (results.length !== files.length || (status !== 0 && lines.length === 0)) {
    throw new Error(`the linter read ${results.length} of ${files.length} documents: ${stderr}`);
  }
  return lines;
}
