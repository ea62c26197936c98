import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";
import { readComment } from "@settle/proto-schemas/protos/comments";
import { parse } from "yaml";
import { readBase } from "../src/base.ts";
import { emptyBase } from "../src/empty-base.ts";
import { readOptions } from "../src/options.ts";
import { parsePathTemplate } from "../src/path-template.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("the options of protoc-gen-openapi", () => {
  it("have defaults", () => {
    assert.deepEqual(readOptions([]), {
      base: undefined,
      merged: undefined,
      unsupported: "error",
      defaults: "omitted",
      int64: "string",
      streams: "array",
    });
  });

  for (const [key, value, fault] of [
    ["colour", "red", /unknown option colour/],
    ["streams", "xml", /streams must be array or ndjson or sse/],
    ["int64", "number", /int64 must be string or string-or-number/],
    ["merged", "", /merged needs a value/],
    ["toString", "x", /unknown option toString/],
  ] as const) {
    it(`reject ${key}=${value}`, () => {
      assert.throws(() => readOptions([{ key, value }]), fault);
    });
  }
});

describe("the base file", () => {
  it("is rejected with its name and each error", () => {
    const folder = mkdtempSync(join(tmpdir(), "settle-base-"));
    const file = join(folder, "base.yaml");
    try {
      writeFileSync(file, "info: { title: 1 }\nheaders: []\n");
      assert.throws(
        () => readBase(file),
        (error: Error) => {
          assert.ok(error.message.startsWith(file));
          assert.match(error.message, /info\.title/);
          assert.match(error.message, /info\.version/);
          assert.match(error.message, /headers/);
          return true;
        },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is refused by its name where it is not there, and by the line where it is no YAML", () => {
    assert.throws(
      () => readBase("none.yaml"),
      new Error(`none.yaml: no such file in ${process.cwd()}, where the compiler runs`),
    );
    const folder = mkdtempSync(join(tmpdir(), "settle-base-"));
    const file = join(folder, "base.yaml");
    try {
      writeFileSync(file, "info: {}\nservers: [\n");
      assert.throws(() => readBase(file), /base\.yaml: .* line 3/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("may be an empty file", () => {
    const folder = mkdtempSync(join(tmpdir(), "settle-base-"));
    const file = join(folder, "base.yaml");
    try {
      writeFileSync(file, "# Nothing yet.\n");
      assert.deepEqual(readBase(file), emptyBase);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is the empty one without a file", () => {
    assert.deepEqual(emptyBase, readBase(undefined));
  });

  it("of this repository has the version in package.json", () => {
    const read = (file: string) => parse(readFileSync(join(root, file), "utf8"));
    assert.equal(read("proto/openapi.yaml").info.version, read("package.json").version);
  });
});

describe("a path template", () => {
  for (const [template, fault] of [
    ["v1", /must start with a slash/],
    ["/v1//a", /empty segment/],
    ["/v1/", /empty segment/],
    ["/v1/a{b}", /a\{b\}, which is neither text nor one variable/],
    ["/v1/{a=**}/{b}", /after `\*\*`/],
    ["/v1/{a", /\{a, which is neither text/],
  ] as const) {
    it(`is rejected: ${template}`, () => {
      const read = parsePathTemplate(template);
      assert.ok("fault" in read);
      assert.match(read.fault, fault);
    });
  }

  it("has its verb after the last colon", () => {
    const read = parsePathTemplate("/v1/{name=a:b/*}:run");
    assert.ok(!("fault" in read));
    assert.equal(read.verb, "run");
    assert.equal(read.segments.length, 3);
  });
});

describe("a comment", () => {
  it("is read with the line breaks of any operating system", () => {
    const { summary, rest } = readComment(" One\r\n two.\r\n\r\n Three.\r\n");
    assert.deepEqual({ summary, rest }, { summary: "One two", rest: "Three." });
  });

  it("can be empty", () => {
    assert.deepEqual(readComment(""), { summary: "", rest: "", text: "", examples: [] });
  });
});

describe("protoc-gen-openapi as a program", () => {
  const run = (args: readonly string[], input: Uint8Array = new Uint8Array()) =>
    spawnSync(process.execPath, [main, ...args], { input });

  it("prints its options", () => {
    const { status, stdout } = run(["--help"]);
    assert.equal(status, 0);
    for (const option of ["base=", "merged=", "unsupported=", "defaults=", "int64=", "streams="]) {
      assert.ok(stdout.includes(option), option);
    }
  });

  it("tells the version of its package", () => {
    const { status, stdout } = run(["--version"]);
    assert.equal(status, 0);
    const { version } = JSON.parse(
      readFileSync(new URL("../package.json", import.meta.url), "utf8"),
    );
    assert.equal(stdout.toString(), `${version}\n`);
  });

  it("answers the compiler, also when there is nothing to do", () => {
    const { status, stdout } = run(
      [],
      toBinary(CodeGeneratorRequestSchema, create(CodeGeneratorRequestSchema)),
    );
    assert.equal(status, 0);
    assert.deepEqual(fromBinary(CodeGeneratorResponseSchema, stdout).file, []);
  });

  it("exits with 1 and a message if an option is invalid", () => {
    const request = create(CodeGeneratorRequestSchema, { parameter: "streams=xml" });
    const { status, stderr } = run([], toBinary(CodeGeneratorRequestSchema, request));
    assert.equal(status, 1);
    assert.match(stderr.toString(), /streams must be/);
  });
});
