import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describePacked } from "../../proto-schemas/test/packed.ts";

const delivery = `syntax = "proto3";
package post.v1;
import "google/protobuf/descriptor.proto";

message Delivery {
  string from = 1;
  repeated string to = 2;
}
extend google.protobuf.MessageOptions {
  Delivery delivery = 50123;
}
`;
const letters = `syntax = "proto3";
package post.v1;
import "post/v1/delivery.proto";

// A letter was posted.
message LetterPosted {
  option (delivery) = {from: "counter" to: "sorting"};
  string letter_id = 1;
}
`;
const base = `info: { title: Post, version: "1" }
events:
  extension: post.v1.delivery
  exchange: { name: "{service}.letters" }
  queue: { name: "{service}.in" }
`;
const protos = { "post/v1/delivery.proto": delivery, "post/v1/letters.proto": letters };

describePacked("protoc-gen-asyncapi", protos, (installed) => {
  it("generates the same as the sources from events of another project", async () => {
    const { folder, generate } = installed();
    writeFileSync(join(folder, "asyncapi.yaml"), base);
    const { packed, sources } = await generate(["base=asyncapi.yaml"]);
    assert.deepEqual(packed, sources);
    const { channels } = JSON.parse(packed["asyncapi.json"] ?? "");
    assert.deepEqual(Object.keys(channels), ["post.v1.LetterPosted", "sorting.in"]);
  });

  it("reports errors with file and line", async () => {
    const { folder, generate } = installed();
    writeFileSync(join(folder, "proto/post/v1/letters.proto"), letters.replace("counter", ""));
    await assert.rejects(
      generate(["base=asyncapi.yaml"]),
      /post\/v1\/letters\.proto:6: LetterPosted: post\.v1\.delivery does not set from/,
    );
  });
});
