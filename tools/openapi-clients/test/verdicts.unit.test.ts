import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clients } from "../clients.ts";
import { publicPackages, settleDocument } from "../documents.ts";
import { formatRecord, hashDocument, readRecordedHash, recordFile, stages } from "../verdicts.ts";

const again = "run npm run openapi:clients";
const record = readFileSync(recordFile, "utf8");

describe("the record of generated clients", () => {
  it("is that of the current document", () => {
    assert.equal(readRecordedHash(), hashDocument(settleDocument), again);
  });

  for (const { name, language, watch } of clients) {
    it(`says that the client of ${name} compiles and completes the journey`, () => {
      const line = `| ${[name, language, ...stages.map(() => "yes"), watch].join(" | ")} |\n`;
      assert.ok(record.includes(line), `it lacks the line ${line}: ${again}`);
    });
  }

  it("has six generators in four languages at least, all public packages and all versions", () => {
    assert.ok(clients.length >= 6);
    assert.equal(new Set(clients.map(({ language }) => language)).size, 4);
    const names = Object.keys(publicPackages);
    assert.equal(names.length, 5);
    for (const name of names) assert.ok(record.includes(` ${name} |`), `${name}: ${again}`);
    for (const { name, version, license } of clients.flatMap(({ tools }) => tools)) {
      assert.ok(record.includes(`| ${name} | ${version} | ${license} |\n`), `${name}: ${again}`);
    }
  });

  it("names the versions that are installed", () => {
    let compared = 0;
    for (const { name, tools } of clients) {
      const pinned = readPinnedVersions(name);
      for (const tool of tools) {
        const version = pinned.get(tool.name);
        if (version === undefined) continue;
        assert.equal(version, tool.version, `${name}: ${tool.name}`);
        compared += 1;
      }
    }
    assert.ok(compared >= 10, String(compared));
  });

  it("shows how far each client came, and why not further", () => {
    const [first, second, third] = clients;
    assert.ok(first && second && third);
    const text = formatRecord({
      clients: [first, second, third],
      documents: ["settle", "a.v1"],
      verdicts: [
        { client: first.name, document: "settle", passed: [...stages] },
        { client: first.name, document: "a.v1", passed: ["generates", "compiles"] },
        {
          client: second.name,
          document: "settle",
          passed: ["generates"],
          failed: "compiles",
          reason: "`x` is unknown",
        },
        {
          client: second.name,
          document: "a.v1",
          passed: [],
          failed: "generates",
          reason: "no",
          fault: "it cannot",
        },
        {
          client: third.name,
          document: "settle",
          passed: [],
          failed: "prepare",
          reason: "no Java",
        },
      ],
      run: { date: new Date(0), system: "linux-x64", versions: "Node 1" },
      hash: "0".repeat(64),
    });
    for (const line of [
      `| ${first.name} | ${first.language} | yes | yes | yes | ${first.watch} |`,
      `| ${first.name} | yes |`,
      `| ${second.name} | ${second.language} | yes | **no** | – | ${second.watch} |`,
      `| ${second.name} | **no**, – |`,
      `| ${third.name} | ${third.language} | not run | not run | not run | ${third.watch} |`,
      `| ${third.name} | not run |`,
      `- ${second.name} does not compile (settle): \`'x' is unknown\``,
      `- ${second.name} does not generate (a.v1): \`no\`. A fault of the generator: it cannot.`,
      `- ${third.name} was not run (settle): \`no Java\``,
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
    }
  });
});

describe("the hash of a document", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-hash-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const hashOf = (schema: object) => {
    const file = join(folder, "document.json");
    writeFileSync(file, JSON.stringify({ info: { version: "1" }, schema }));
    return hashDocument(file);
  };
  const schema = { type: "object", properties: { description: { type: "string" } } };

  it("is the same with other words", () => {
    const other = { ...schema, description: "Better.", examples: [{ description: "a" }] };
    assert.equal(hashOf(other), hashOf(schema));
  });

  it("differs with another type, and without a property that is named like words", () => {
    const properties = { description: { type: "integer" } };
    assert.notEqual(hashOf({ ...schema, properties }), hashOf(schema));
    assert.notEqual(hashOf({ ...schema, properties: {} }), hashOf(schema));
  });
});

/** Returns the versions in the files from which the packages of a client are installed. */
function readPinnedVersions(name: string): ReadonlyMap<string, string> {
  const folder = join(import.meta.dirname, "..");
  const read = (file: string) => {
    try {
      return readFileSync(join(folder, file), "utf8");
    } catch {
      return "";
    }
  };
  const { devDependencies } = JSON.parse(read("package.json")) as {
    devDependencies: Record<string, string>;
  };
  const requirements = read(`clients/${name}/requirements.txt`).matchAll(/^([\w-]+)==(.+)$/gm);
  const goMod = read(`clients/${name}/go.mod`);
  const modules = [
    ...goMod.matchAll(/^\s*(?:require )?(\S+) v([\d.]+)$/gm),
    ...goMod.matchAll(/([\w-]+) v([\d.]+)$/gm),
  ];
  return new Map([
    ...Object.entries(devDependencies),
    ["TypeScript", devDependencies.typescript ?? ""],
    ...[...requirements, ...modules].map(([, tool = "", version = ""]) => [tool, version] as const),
  ]);
}
