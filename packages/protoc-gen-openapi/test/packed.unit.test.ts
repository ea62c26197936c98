import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describePacked } from "../../proto-schemas/test/packed.ts";

const shelves = `syntax = "proto3";
package library.v1;
import "google/api/annotations.proto";

// Keeps books.
service LibraryService {
  // Finds a shelf.
  rpc GetShelf(GetShelfRequest) returns (Shelf) {
    option (google.api.http) = {get: "/v1/{name=shelves/*}"};
  }
  // Puts up a shelf.
  rpc CreateShelf(CreateShelfRequest) returns (Shelf) {
    option (google.api.http) = {post: "/v1/shelves" body: "shelf"};
  }
}
message GetShelfRequest {
  string name = 1;
}
message CreateShelfRequest {
  Shelf shelf = 1;
  string request_id = 2;
}
// A shelf.
message Shelf {
  string name = 1;
  // How many books it has.
  int64 books = 2;
}
`;
const twice = `syntax = "proto3";
package twice.v1;
import "google/api/annotations.proto";

service TwiceService {
  rpc Get(GetRequest) returns (GetResponse) {
    option (google.api.http) = {
      get: "/v1/twice"
      response_body: "name"
    };
  }
}
message GetRequest {}
message GetResponse {
  string name = 1;
}
`;

describePacked("protoc-gen-openapi", { "library/v1/library.proto": shelves }, (installed) => {
  it("generates the same as the sources from protos of another project", async () => {
    const { packed, sources } = await installed().generate([]);
    assert.deepEqual(packed, sources);
    const document = JSON.parse(packed["library.v1.json"] ?? "");
    assert.deepEqual(Object.keys(document.paths), ["/v1/shelves", "/v1/shelves/{shelvesId}"]);
    assert.equal(document.info.title, "API: library.v1");
  });

  it("accepts a base file and options", async () => {
    const { folder, generate } = installed();
    writeFileSync(join(folder, "openapi.yaml"), "info: { title: Library, version: '2' }\n");
    const { packed, sources } = await generate(["base=openapi.yaml", "merged=all", "streams=sse"]);
    assert.deepEqual(packed, sources);
    assert.deepEqual(JSON.parse(packed["all.json"] ?? "").info, { title: "Library", version: "2" });
  });

  it("reports errors with file and line", async () => {
    const { folder, generate } = installed();
    writeFileSync(join(folder, "proto/twice.proto"), twice);
    await assert.rejects(generate([]), /twice\.proto:6: response_body/);
    await assert.rejects(generate(["streams=xml"]), /streams must be array or ndjson or sse/);
    writeFileSync(join(folder, "openapi.yaml"), "info: { title: Library }\n");
    await assert.rejects(generate(["base=openapi.yaml"]), /openapi\.yaml: [\s\S]*info\.version/);
  });
});

describe("the sources of the generators", () => {
  it("use only language features that Node 20 has", async () => {
    const root = fileURLToPath(new URL("../../..", import.meta.url));
    const project = join(root, "tools/build-package/tsconfig.node20.json");
    await promisify(execFile)("tsc", ["--project", project]);
  }).timeout(60_000);
});
