import assert from "node:assert/strict";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { type CreatePlugin, compileCases, runPlugin } from "./run-plugin.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** Replaces the expected output by the current one; review the diff. */
const isRefresh = process.env.REFRESH_GOLDENS === "1";
const compileTimeoutMs = 120_000;

function readFiles(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    globSync("*", { cwd: folder }).map((file) => [file, readFileSync(join(folder, file), "utf8")]),
  );
}

/**
 * Compares the output of a plugin with the expected files. Each case is a folder of protos in
 * `packages/<plugin>/testdata`. Its `options.json` maps folders of expected files to options;
 * without it, the folder is `expected` and there are no options.
 */
export function describeGoldens(plugin: string, createPlugin: CreatePlugin): void {
  const testdata = join("packages", plugin, "testdata");
  const cases = globSync("*/", { cwd: join(root, testdata) })
    .map((folder) => folder.replace(/\/$/, ""))
    .sort()
    .flatMap((folder) => {
      const file = join(root, testdata, folder, "options.json");
      const options: Readonly<Record<string, string>> = existsSync(file)
        ? JSON.parse(readFileSync(file, "utf8"))
        : { expected: "" };
      return Object.entries(options).map(([name, parameter]) => ({ folder, name, parameter }));
    });
  assert.ok(cases.length > 0, `there are no cases in ${testdata}`);

  describe(plugin, () => {
    let protos: readonly FileDescriptorProto[] = [];

    before(async function () {
      this.timeout(compileTimeoutMs);
      protos = await compileCases(testdata);
    });

    for (const { folder, name, parameter } of cases) {
      it(`generates the expected output from ${folder} (${name}), repeatably`, async () => {
        const { files, error, warnings } = await runPlugin(createPlugin, protos, folder, parameter);
        const made = {
          ...files,
          ...(error === "" ? {} : { "refused.txt": `${error}\n` }),
          ...(warnings.length === 0 ? {} : { "warned.txt": `${warnings.join("\n")}\n` }),
        };
        const golden = join(root, testdata, folder, name);
        if (isRefresh) {
          rmSync(golden, { recursive: true, force: true });
          mkdirSync(golden);
          for (const [file, text] of Object.entries(made)) writeFileSync(join(golden, file), text);
        }
        assert.deepEqual(made, readFiles(golden));
        const again = await runPlugin(createPlugin, protos, folder, parameter);
        assert.deepEqual(again.files, files);
      });
    }
  });
}
