import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
const chassis = "packages/chassis/src/";
const local = "tools/local/";
/** Where every folder has a row. */
const levels = ["", "packages/", "tools/", local, "tests/", "tests/harness/", chassis];
/** What tools make here, and hidden folders. */
const isMade = (name: string) => /^(\.|(node_modules|dist|coverage)$)/.test(name);
/** Services are above the chassis, the edge above them. */
const serviceFloor = 6;
const edgeFloor = 7;

describe("ARCHITECTURE.md", () => {
  const rows = [...sectionOf("Where things are").matchAll(/^\| (?:(\d) \| )?`([^`]+)`/gm)].map(
    ([, floor, folder = ""]) => ({ floor: Number(floor), folder }),
  );
  const floors = new Map(rows.map(({ floor, folder }) => [folder, floor]));

  it("has a row for every folder of its levels, and for nothing else", () => {
    const found = levels.flatMap((level) =>
      readdirSync(join(root, level), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !isMade(entry.name))
        .map(({ name }) => `${level}${name}/`)
        .filter((folder) => folder !== `${local}test/`),
    );
    const named = rows.map(({ folder }) => folder).filter((folder) => folder !== chassis);
    assert.deepEqual(named.toSorted(), found.toSorted());
  });

  it("walks through files that exist, and only down the floors", () => {
    const floorOf = (path: string) => {
      if (path.startsWith("edge/")) return edgeFloor;
      if (path.startsWith("services/")) return serviceFloor;
      const floor = floors.get(path.slice(0, path.lastIndexOf("/") + 1));
      return floor ?? assert.fail(`${path} is on no floor`);
    };
    const stages = sectionOf("The path of an order").split(/^### /m).slice(1);
    assert.ok(stages.length >= 3);
    for (const stage of stages) {
      const paths = [...stage.matchAll(/^- `([^`]+)`:/gm)].map(([, path = ""]) => path);
      assert.ok(paths.length > 0, stage);
      for (const path of paths) assert.ok(existsSync(join(root, path)), path);
      const walked = paths.map(floorOf);
      assert.deepEqual(walked, walked.toSorted().reverse(), stage);
    }
  });
});

function sectionOf(heading: string): string {
  const [, section = ""] = text.split(`\n## ${heading}\n`);
  return section.split(/^## /m)[0] ?? "";
}
