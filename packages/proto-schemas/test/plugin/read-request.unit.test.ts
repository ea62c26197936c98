import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { readRequest } from "../../src/plugin/read-request.ts";
import { createSource } from "../../src/protos/source.ts";

// More values than one byte of a path can encode.
const colours = Array.from({ length: 200 }, (_, n) => `  // Colour ${n}\n  C_${n} = ${n};`);
const proto = `syntax = "proto3";
package paints.v1;
// A paint.
message Paint {
  string name = 1; // Behind it.
  message Pot {
    // Litres.
    double size = 1;
  }
}
enum Colour {
${colours.join("\n")}
}
`;

describe("a CodeGeneratorRequest", () => {
  let folder: string;
  let protoFile: FileDescriptorProto[];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-request-"));
    writeFileSync(join(folder, "paints.proto"), proto);
    const image = join(folder, "image.binpb");
    execFileSync("buf", ["build", folder, "--as-file-descriptor-set", "--output", image]);
    protoFile = fromBinary(FileDescriptorSetSchema, readFileSync(image)).file;
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is read completely, with positions decoded on demand", () => {
    const request = create(CodeGeneratorRequestSchema, {
      parameter: "a=b",
      fileToGenerate: ["paints.proto"],
      compilerVersion: { major: 29 },
      protoFile,
      sourceFileDescriptors: protoFile,
    });
    const read = readRequest(toBinary(CodeGeneratorRequestSchema, request));
    const bare = create(CodeGeneratorRequestSchema, request);
    for (const file of bare.protoFile) assert.ok(file.sourceCodeInfo);
    const without = ({ sourceCodeInfo: _, ...file }: FileDescriptorProto) => file;
    assert.deepEqual(read.protoFile.map(without), bare.protoFile.map(without));
    assert.equal(read.sourceFileDescriptors.length, 1);
    assert.equal(read.parameter, "a=b");
    assert.deepEqual(read.fileToGenerate, ["paints.proto"]);

    const places = (files: readonly FileDescriptorProto[]) => {
      const source = createSource();
      const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [...files] }));
      const [paint, pot] = ["paints.v1.Paint", "paints.v1.Paint.Pot"].map((name) =>
        registry.getMessage(name),
      );
      const last = registry.getEnum("paints.v1.Colour")?.values[199];
      const [name, size] = [paint?.fields[0], pot?.fields[0]];
      return [paint, name, size, last].map((desc) => {
        assert.ok(desc);
        return [source.place(desc), source.comment(desc).text];
      });
    };
    const expected = [
      ["paints.proto:4", "A paint."],
      ["paints.proto:5", "Behind it."],
      ["paints.proto:8", "Litres."],
      ["paints.proto:411", "Colour 199"],
    ];
    assert.deepEqual(places(read.protoFile), expected);
    assert.deepEqual(places(protoFile), expected, "of a request read by another decoder");
  });
});
