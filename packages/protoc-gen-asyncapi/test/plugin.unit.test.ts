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

describe("protoc-gen-asyncapi's options", () => {
  it("have a default, and are refused by name", () => {
    assert.deepEqual(readOptions([]), { base: undefined, name: "asyncapi" });
    assert.throws(() => readOptions([{ key: "colour", value: "red" }]), /no option colour/);
    assert.throws(() => readOptions([{ key: "name", value: "" }]), /name needs a value/);
  });
});

describe("protoc-gen-asyncapi as a program", () => {
  const run = (args: readonly string[], input: Uint8Array = new Uint8Array()) =>
    spawnSync(process.execPath, [main, ...args], { input, cwd: root });

  it("tells its options", () => {
    const { status, stdout } = run(["--help"]);
    assert.equal(status, 0);
    for (const option of ["base=", "name="]) assert.ok(stdout.includes(option), option);
  });

  it("answers the compiler, and ends with the fault of an option", () => {
    const ask = (parameter: string) => {
      const request = create(CodeGeneratorRequestSchema, { parameter });
      return run([], toBinary(CodeGeneratorRequestSchema, request));
    };
    const { status, stdout } = ask("base=proto/asyncapi.yaml");
    assert.equal(status, 0);
    const { error } = fromBinary(CodeGeneratorResponseSchema, stdout);
    assert.match(error, /no message option topology\.v1\.route/);
    const refused = ask("name=a,colour=red");
    assert.equal(refused.status, 1);
    assert.match(refused.stderr.toString(), /no option colour/);
  });
});

describe("what AsyncAPI needs besides", () => {
  it("of ours has the version that is under way", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.equal(readBase(join(root, "proto/asyncapi.yaml")).info.version, version);
  });

  it("keeps what stands beside a reference, which would be ignored there", () => {
    const a = { $ref: "#/a" };
    assert.deepEqual(wrapRefs({ b: a, c: [{ ...a, title: "C", allOf: [{ minLength: 1 }] }] }), {
      b: a,
      c: [{ title: "C", allOf: [a, { minLength: 1 }] }],
    });
  });
});
