import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { configurationPath } from "../generate/configuration.ts";
import { generate, writeReferences } from "../generate/generate.ts";
import { metricsPath } from "../generate/metrics.ts";
import { fetchThirdPartyProtos } from "../generate/third-party-protos.ts";
import { latestRelease } from "../release/releases.ts";
import { judgeRest } from "../rest-gate/judge.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

type Step = { readonly name: string; readonly command: readonly [string, ...string[]] };

/** All checks that need no PostgreSQL, RabbitMQ or Envoy. */
const steps: readonly Step[] = [
  { name: "contract: style", command: ["buf", "lint"] },
  { name: "contract: format", command: ["buf", "format", "proto", "--diff", "--exit-code"] },
  {
    name: "contract: nothing of the last release is broken",
    command: ["buf", "breaking", "proto", "--against", `${latestRelease(root)}/image.binpb`],
  },
  {
    name: "code: format and lint",
    command: ["biome", "ci", "--colors=off", "--error-on-warnings", "--diagnostic-level=warn", "."],
  },
  { name: "code: types", command: ["tsc", "--project", "."] },
  { name: "page: types", command: ["tsc", "--project", "web"] },
  { name: "unit tests", command: ["node", "tests/main.ts", "--unit"] },
];

let failed = 0;

async function step(name: string, run: () => Promise<string> | string): Promise<void> {
  const startedMs = performance.now();
  const complaint = await run();
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(`${complaint === "" ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (complaint === "") return;
  failed += 1;
  console.log(complaint.replaceAll(/^/gm, "       "));
}

function output(command: readonly [string, ...string[]]): string {
  const [program, ...args] = command;
  const result = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  if (result.error) return String(result.error);
  if (result.status === 0) return "";
  const text = `${result.stdout}${result.stderr}`.trim();
  // Of the unit tests, only those that failed.
  const failures = Math.max(0, text.search(/^ +\d+ failing$/m));
  return text.slice(failures) || `${program} exited with ${result.status}`;
}

await fetchThirdPartyProtos(root);
await step("contract: gen/ is current", () => {
  const fresh = mkdtempSync(join(tmpdir(), "settle-gen-"));
  try {
    generate(root, fresh);
    return ["es", "sdk/src", "openapi", "asyncapi", "envoy"]
      .map((folder) =>
        output(["diff", "--recursive", "--brief", join(fresh, "gen", folder), `gen/${folder}`]),
      )
      .filter((complaint) => complaint !== "")
      .join("\n");
  } finally {
    rmSync(fresh, { recursive: true });
  }
});
await step("documents: references are current", async () => {
  const fresh = mkdtempSync(join(tmpdir(), "settle-docs-"));
  try {
    await writeReferences(root, fresh);
    return [configurationPath, metricsPath]
      .map((path) => output(["diff", join(fresh, path), path]))
      .join("");
  } finally {
    rmSync(fresh, { recursive: true });
  }
});
await step("contract: no REST call of the last release is broken", () => judgeRest(root));
for (const { name, command } of steps) await step(name, () => output(command));
console.log(failed === 0 ? "all checks passed" : `${failed} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
