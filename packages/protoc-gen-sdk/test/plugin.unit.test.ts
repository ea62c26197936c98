import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { plugin } from "../src/plugin.ts";

const library = fileURLToPath(new URL("../testdata/library", import.meta.url));
const expected = join(library, "expected");
const service = "library/v1/library_service.proto";

/** The files that `buf generate` would send for the library. */
function readLibrary(): FileDescriptorProto[] {
  const folder = mkdtempSync(join(tmpdir(), "settle-plugin-"));
  try {
    const image = join(folder, "library.binpb");
    execFileSync("buf", ["build", library, "--as-file-descriptor-set", "--output", image]);
    return fromBinary(FileDescriptorSetSchema, readFileSync(image)).file;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function generate(protoFile: FileDescriptorProto[]): ReadonlyMap<string, string> {
  const fileToGenerate = protoFile.map(({ name }) => name).filter((name) => !/^google/.test(name));
  const parameter = "target=ts,import_extension=ts";
  const { file } = plugin.run(
    create(CodeGeneratorRequestSchema, { protoFile, fileToGenerate, parameter }),
  );
  return new Map(file.map(({ name, content }) => [name, content]));
}

describe("protoc-gen-sdk", () => {
  it("generates the expected output for a library", () => {
    const files = generate(readLibrary());
    // After an intended change: WRITE_EXPECTED=1 npm test -- <this file>, then review the diff.
    if (process.env.WRITE_EXPECTED) {
      for (const [name, text] of files) writeFileSync(join(expected, `${name}.txt`), text);
    }
    assert.deepEqual([...files.keys()].map((name) => `${name}.txt`).sort(), readdirSync(expected));
    for (const [name, text] of files) {
      assert.equal(text, readFileSync(join(expected, `${name}.txt`), "utf8"), name);
    }
  });

  /** The library with a change to the file of its service. */
  const changed = (change: (file: FileDescriptorProto) => void) => {
    const files = readLibrary();
    const file = files.find(({ name }) => name === service);
    assert.ok(file);
    change(file);
    return () => generate(files);
  };
  const methodOf = (file: FileDescriptorProto, name: string) => {
    const method = file.service[0]?.method.find((candidate) => candidate.name === name);
    assert.ok(method);
    return method;
  };
  const fieldsOf = (file: FileDescriptorProto, name: string) => {
    const message = file.messageType.find((candidate) => candidate.name === name);
    assert.ok(message);
    return message;
  };

  it("rejects a stream that cannot be resumed", () => {
    const withoutCursor = changed((file) => {
      fieldsOf(file, "WatchBooksRequest").field = [];
    });
    assert.throws(withoutCursor, /WatchBooks cannot be resumed/);
    const withoutEnd = changed((file) => {
      fieldsOf(file, "WatchBooksResponse").field.pop();
    });
    assert.throws(withoutEnd, /WatchBooks cannot be resumed/);
  });

  it("rejects a stream from the client", () => {
    const streaming = changed((file) => {
      methodOf(file, "LendBook").clientStreaming = true;
    });
    assert.throws(streaming, /LendBook streams from the client/);
  });

  it("rejects two services that would have the same name", () => {
    const twice = changed((file) => {
      file.service.push({ ...structuredClone(file.service[0]), name: "Library" } as never);
    });
    assert.throws(twice, /two services have the name library/);
  });

  it("rejects a contract without reasons, and a reason without a code", () => {
    const files = readLibrary();
    const errors = files.find(({ name }) => name === "errors/v1/errors.proto");
    const [reason] = errors?.enumType ?? [];
    assert.ok(reason && errors?.sourceCodeInfo);
    errors.sourceCodeInfo.location = [];
    assert.throws(() => generate(files), /ERROR_REASON_BOOK_NOT_FOUND must start with a code/);
    reason.name = "Other";
    for (const field of errors.messageType.flatMap((message) => message.field)) {
      field.typeName = field.typeName.replace("ErrorReason", "Other");
    }
    for (const extension of errors.extension) {
      extension.typeName = extension.typeName.replace("ErrorReason", "Other");
    }
    assert.throws(() => generate(files), /no errors.v1.ErrorReason/);
  });

  it("generates a plain call if the response has two lists, or a list of scalars", () => {
    const files = changed((file) => {
      const response = fieldsOf(file, "ListBooksResponse");
      const [books] = response.field;
      assert.ok(books);
      response.field.push({ ...books, name: "others", jsonName: "others", number: 3 });
    })();
    assert.doesNotMatch(files.get("library.ts") ?? "", /allBooks|Pages/);
  });
});
