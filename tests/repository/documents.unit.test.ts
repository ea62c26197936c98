import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DescMethod, getOption } from "@bufbuild/protobuf";
import { routeOf } from "@settle/chassis/contract/routes";
import { ErrorReason } from "@settle/gen/errors/v1/errors_pb";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";
import { http } from "@settle/gen/google/api/annotations_pb";
import { OrdersService } from "@settle/gen/orders/v1/orders_service_pb";
import { PaymentsService } from "@settle/gen/payments/v1/payments_service_pb";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string) => readFileSync(join(root, file), "utf8");
const documents = globSync("{*.md,{docs,examples,packages,proto}/**/*.md}", {
  cwd: root,
  exclude: ["**/node_modules/**", "packages/*/dist/**"],
}).sort();

describe("the documents", () => {
  it("link to files and headings that exist", () => {
    for (const file of documents) {
      const links = withoutCode(read(file)).matchAll(/\]\((?!http)([^)#]*)(?:#([^)]+))?\)/g);
      for (const [link, path = "", heading] of links) {
        const target = path === "" ? file : join(dirname(file), path);
        assert.ok(existsSync(join(root, target)), `${file}: ${link}`);
        if (heading === undefined) continue;
        assert.ok(
          anchorsOf(read(target)).includes(heading),
          `${file}: ${link} has no such heading`,
        );
      }
    }
  });

  it("name scripts that exist", () => {
    const run = /npm run (?:--silent )?([a-z:-]+)(?: -w (\S+?))?(?=[\s`]|$)/gm;
    for (const file of documents) {
      for (const [, script = "", workspace = "."] of read(file).matchAll(run)) {
        const { scripts } = JSON.parse(read(join(workspace, "package.json")));
        // Exists for each service in the list.
        if (script === "new-service") continue;
        assert.ok(script in scripts, `${file}: npm run ${script} in ${workspace}`);
      }
    }
  });

  it("contain each sentence once", () => {
    const found = new Map<string, string>();
    const written = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
    for (const file of [...written, ...documents.filter((name) => name.startsWith("docs/"))]) {
      for (const sentence of sentencesOf(read(file))) {
        assert.equal(found.get(sentence), undefined, `${file}: ${sentence}`);
        found.set(sentence, file);
      }
    }
  });

  it("list every method, reason and event of the contract", () => {
    const api = read("docs/reference/api.md");
    for (const { methods, typeName } of [OrdersService, PaymentsService]) {
      for (const method of methods) {
        assert.ok(
          api.includes(`| \`${typeName}/${method.name}\` | \`${restOf(method)}\` |`),
          method.name,
        );
      }
    }
    for (const [reason, value] of Object.entries(ErrorReason)) {
      if (typeof value === "string" || value === ErrorReason.UNSPECIFIED) continue;
      assert.ok(api.includes(`\`${reason}\``), reason);
    }
    const events = read("docs/reference/events.md");
    for (const event of file_events_v1_events.messages) {
      const { from = "" } = routeOf(event) ?? {};
      const row = `| \`${event.typeName}\` | ${from} | \`${from}.events\` |`;
      assert.ok(events.includes(row), row);
    }
  });

  it("list log lines that the code writes", () => {
    const [, table = ""] = read("docs/how-to/operate.md").split("| `msg` | Meaning |\n");
    const lines = [...(table.split("\n\n")[0] ?? "").matchAll(/^\| `([^`]+)` \|/gm)];
    assert.ok(lines.length >= 5);
    const sources = globSync("{{packages/chassis,services/*}/src,tools/provision}/**/*.ts", {
      cwd: root,
    });
    const code = sources.map(read).join("");
    for (const [, line = ""] of lines) assert.ok(code.includes(`"${line}"`), line);
  });
});

function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, "");
}

/** Returns the anchors of the headings of a document on GitHub. */
function anchorsOf(markdown: string): readonly string[] {
  const headings = withoutCode(markdown).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Returns the sentences in paragraphs and lists, without code, tables, headings and links. */
function sentencesOf(markdown: string): readonly string[] {
  return withoutCode(markdown)
    .split(/\n\s*\n|^#.*$|^\|.*$|^\s*(?:[-*]|\d+\.) /m)
    .flatMap((block) => block.replace(/\s+/g, " ").split(/(?<=[.!?]) /))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence.split(" ").length >= 6);
}

function restOf(method: DescMethod): string {
  const { pattern } = getOption(method, http);
  assert.ok(pattern.case === "get" || pattern.case === "post", method.name);
  const path = pattern.value.replace(
    /\{(\w+)\}/g,
    (_, name: string) => `{${name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}}`,
  );
  return `${pattern.case.toUpperCase()} ${path}`;
}
