import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { readBase } from "../src/base.ts";
import { readOptions } from "../src/options.ts";
import { wrapRefs } from "../src/references.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("the options of protoc-gen-asyncapi", () => {
  it("have defaults, and are rejected by name if invalid", () => {
    assert.deepEqual(readOptions([]), { base: undefined, name: "asyncapi" });
    assert.throws(() => readOptions([{ key: "colour", value: "red" }]), /unknown option colour/);
    assert.throws(() => readOptions([{ key: "name", value: "" }]), /name needs a value/);
  });
});

describe("protoc-gen-asyncapi as a program", () => {
  const run = (args: readonly string[], input: Uint8Array = new Uint8Array()) =>
    spawnSync(process.execPath, [main, ...args], { input, cwd: root });

  it("prints its options", () => {
    const { status, stdout } = run(["--help"]);
    assert.equal(status, 0);
    for (const option of ["base=", "name="]) assert.ok(stdout.includes(option), option);
  });

  it("writes a response to the compiler, and exits with 1 if an option is invalid", () => {
    const ask = (parameter: string) => {
      const request = create(CodeGeneratorRequestSchema, { parameter });
      return run([], toBinary(CodeGeneratorRequestSchema, request));
    };
    const { status, stdout } = ask("base=proto/asyncapi.yaml");
    assert.equal(status, 0);
    const { error } = fromBinary(CodeGeneratorResponseSchema, stdout);
    assert.match(error, /names topology\.v1\.route, and no proto/);
    const refused = ask("name=a,colour=red");
    assert.equal(refused.status, 1);
    assert.match(refused.stderr.toString(), /unknown option colour/);
  });
});

describe("an AsyncAPI document", () => {
  it("of this repository has the version in package.json", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.equal(readBase(join(root, "proto/asyncapi.yaml")).info.version, version);
  });

  it("keeps the siblings of a $ref, by moving the reference into allOf", () => {
    const ref = { $ref: "#/components/schemas/a" };
    const [a, b] = [{ type: "string" }, { properties: { c: ref, d: { ...ref, title: "D" } } }];
    const d = { type: "string", title: "D", allOf: [ref] };
    assert.deepEqual(wrapRefs({ a, b }), { a, b: { properties: { c: ref, d } } });
  });
});
