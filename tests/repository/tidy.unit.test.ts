import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const maxLines = 250;
const maxTestLines = 500;

const files = globSync("**/*", {
  cwd: root,
  exclude: (name) =>
    /^(node_modules|\.git|\.cache|\.data|coverage|dist)$/.test(name.split("/").at(-1) ?? ""),
}).filter((file) => !file.startsWith("gen/"));
const code = files.filter((file) => /\.(tsx?|mjs)$/.test(file));
const read = (file: string) => readFileSync(join(root, file), "utf8");
const offenders = (of: readonly string[], offends: (file: string) => boolean) =>
  assert.deepEqual(of.filter(offends), []);

describe("the repository", () => {
  it("names files in kebab-case, and not util or helper", () => {
    offenders(code, (file) => {
      const name = file.split("/").at(-1) ?? "";
      return (
        !/^[a-z0-9]+(-[a-z0-9]+)*(\.(entity|config|(unit|int|e2e|go)\.test))?\.(tsx?|mjs)$/.test(
          name,
        ) || /^(utils?|helpers?|common|types|manager|misc)\./.test(name)
      );
    });
  });

  it("limits the length of files", () => {
    offenders(code, (file) => {
      const lines = read(file).split("\n").length;
      return lines > (/\.test\.ts$/.test(file) ? maxTestLines : maxLines);
    });
  });

  it("reads the environment of a service only in main.ts and testing.ts", () => {
    offenders(
      code.filter((file) => /^(services|packages)\/.*\/src\//.test(file)),
      (file) => read(file).includes("process.env") && !/(main|testing)\.ts$/.test(file),
    );
  });

  it("has no TODO comments", () => {
    offenders(
      code.filter((file) => !file.endsWith("tidy.unit.test.ts")),
      (file) => /\b(TODO|FIXME|XXX|HACK)\b/.test(read(file)),
    );
  });
});
