import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";
import { findPrometheus } from "../../tools/local/parts/prometheus.ts";
import { PartFailure } from "../../tools/local/process/ready.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "deploy/observability");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const headings = ["What it means", "How to look", "What to do", "How to know that it is over"];
const downloadTimeoutMs = 300_000;

type Rule = {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

describe("the alerts", () => {
  const rules: readonly Rule[] = parse(read("deploy/observability/alerts.yml")).groups.flatMap(
    ({ rules: ofGroup }: { readonly rules: readonly Rule[] }) => ofGroup,
  );
  const kebab = (alert: string) => alert.replace(/(?<=[a-z])[A-Z]/g, "-$&").toLowerCase();

  it("each have a severity, a runbook, and a test in which they fire and one in which they do not", () => {
    assert.ok(rules.length > 10);
    const tests = new Set(
      parse(read("deploy/observability/alerts.test.yml")).tests.map(
        ({ name }: { readonly name: string }) => name,
      ),
    );
    for (const { alert, labels, annotations } of rules) {
      assert.ok(["page", "ticket"].includes(labels.severity ?? ""), alert);
      assert.equal(annotations.runbook_url, `docs/runbooks/${kebab(alert)}.md`);
      const page = read(annotations.runbook_url);
      assert.deepEqual(page.match(/^##? .*$/gm), [`# ${alert}`, ...headings.map((h) => `## ${h}`)]);
      assert.ok(tests.has(`${alert} fires`) && tests.has(`${alert} is silent`), alert);
    }
    const pages = globSync("*.md", { cwd: join(root, "docs/runbooks") })
      .filter((file) => file !== "README.md")
      .map((file) => basename(file, ".md"));
    assert.deepEqual(pages.sort(), rules.map(({ alert }) => kebab(alert)).sort());
    const index = read("docs/runbooks/README.md");
    for (const page of pages) assert.ok(index.includes(`(${page}.md)`), page);
  });

  it("and the dashboard and the runbooks use metrics that exist", () => {
    const known = new Set(read("docs/reference/metrics.md").match(/(?<=^\| `)settle_\w+/gm));
    const files = ["deploy/observability/{alerts.yml,dashboards/*.json}", "docs/runbooks/*.md"];
    for (const file of files.flatMap((pattern) => globSync(pattern, { cwd: root }))) {
      for (const [used] of read(file).matchAll(/\bsettle_[a-z_]+/g)) {
        const metric = used.replace(/_(bucket|count|sum)$/, "");
        assert.ok(known.has(used) || known.has(metric), `${file}: ${used}`);
      }
    }
  });

  it("pass their tests with promtool", async function () {
    this.timeout(downloadTimeoutMs);
    const { promtool } = await findPrometheus({
      env: process.env,
      cacheDir: join(root, ".cache"),
      log: console.log,
    }).catch((error) => {
      if (error instanceof PartFailure) return { promtool: undefined };
      throw error;
    });
    // Only where there is neither a Prometheus nor a way to unpack one.
    if (promtool === undefined) return this.skip();
    const run = promisify(execFile);
    await run(promtool, ["check", "rules", "alerts.yml"], { cwd: folder });
    await run(promtool, ["test", "rules", "alerts.test.yml"], { cwd: folder });
  });
});
