import assert from "node:assert/strict";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { compileCases, runPlugin, testdata } from "./run-plugin.ts";

/** Writes what the plugin makes now in place of what is expected; look at the difference. */
const isRefresh = process.env.REFRESH_GOLDENS === "1";
const compileTimeoutMs = 120_000;

const cases = globSync("*/", { cwd: testdata })
  .map((folder) => folder.replace(/\/$/, ""))
  .sort()
  .flatMap((folder) => {
    const file = join(testdata, folder, "options.json");
    const options: Readonly<Record<string, string>> = existsSync(file)
      ? JSON.parse(readFileSync(file, "utf8"))
      : { expected: "" };
    return Object.entries(options).map(([name, parameter]) => ({ folder, name, parameter }));
  });

function readFiles(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    globSync("*", { cwd: folder }).map((file) => [file, readFileSync(join(folder, file), "utf8")]),
  );
}

describe("protoc-gen-openapi", () => {
  let protos: readonly FileDescriptorProto[] = [];

  before(async function () {
    this.timeout(compileTimeoutMs);
    protos = await compileCases();
  });

  for (const { folder, name, parameter } of cases) {
    it(`makes of ${folder} what is expected (${name})`, () => {
      const { files, error, warnings } = runPlugin(protos, folder, parameter);
      const made = {
        ...files,
        ...(error === "" ? {} : { "refused.txt": `${error}\n` }),
        ...(warnings.length === 0 ? {} : { "warned.txt": `${warnings.join("\n")}\n` }),
      };
      const golden = join(testdata, folder, name);
      if (isRefresh) {
        rmSync(golden, { recursive: true, force: true });
        mkdirSync(golden);
        for (const [file, text] of Object.entries(made)) writeFileSync(join(golden, file), text);
      }
      assert.deepEqual(made, readFiles(golden));
    });
  }

  it("makes the same of the same", () => {
    assert.deepEqual(runPlugin(protos, "types", ""), runPlugin(protos, "types", ""));
  });
});
