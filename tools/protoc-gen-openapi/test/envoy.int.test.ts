import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { startEnvoy } from "../../local/envoy.ts";
import { startNursery } from "../../local/nursery.ts";
import { findFreePorts } from "../../local/ports.ts";
import { compileCases } from "../../proto-schemas/test/run-plugin.ts";

const startTimeoutMs = 120_000;
const testdata = fileURLToPath(new URL("../testdata", import.meta.url));

/** An Envoy that transcodes these services and answers 200 to what it would have passed on. */
function configure(port: number, descriptors: string, services: readonly string[]): object {
  const transcoder = {
    "@type":
      "type.googleapis.com/envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
    proto_descriptor: descriptors,
    services,
    request_validation_options: {
      reject_unknown_method: true,
      reject_unknown_query_parameters: true,
    },
  };
  const manager = {
    "@type":
      "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "test",
    route_config: {
      virtual_hosts: [
        {
          name: "test",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
        },
      ],
    },
    http_filters: [
      { name: "envoy.filters.http.grpc_json_transcoder", typed_config: transcoder },
      {
        name: "envoy.filters.http.router",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        },
      },
    ],
  };
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  const filters = [
    { name: "envoy.filters.network.http_connection_manager", typed_config: manager },
  ];
  return {
    static_resources: { listeners: [{ name: "test", address, filter_chains: [{ filters }] }] },
  };
}

/** A value of each type that the query of the case holds, by the name of its parameter. */
const values: Readonly<Record<string, string>> = {
  pageSize: "1",
  after: "-9223372036854775808",
  all: "true",
  ratio: "0.5",
  cursor: "YQ%3D%3D",
  words: "a&words=b",
  kinds: "KIND_ONE&kinds=KIND_UNSPECIFIED",
  kind: "KIND_ONE",
  "filter.id": "a",
  "filter.range.low": "1",
  "filter.range.high": "2",
  since: "2026-11-22T09:30:00Z",
  within: "1.5s",
  readMask: "pageSize,filter.id",
  note: "a",
  limit: "9007199254740993",
  city: "a",
  code: "a",
  old: "a",
  region: "a",
  times: "2026-11-22T09:30:00Z&times=2026-11-22T09:30:01Z",
  notes: "a&notes=b",
  value: "1",
};

describe("Envoy, of which the documents tell,", () => {
  const started = new AsyncDisposableStack();
  let url = "";
  before(async function () {
    this.timeout(startTimeoutMs);
    const binary = process.env.ENVOY_BIN;
    assert.ok(binary, "ENVOY_BIN is not set: run the tests with npm test");
    const folder = await mkdtemp(join(tmpdir(), "settle-openapi-"));
    started.defer(() => rm(folder, { recursive: true, force: true }));
    const descriptors = join(folder, "descriptors.binpb");
    const file = [...(await compileCases("tools/protoc-gen-openapi/testdata"))];
    const set = create(FileDescriptorSetSchema, { file });
    await writeFile(descriptors, toBinary(FileDescriptorSetSchema, set));
    const [port = 0] = await findFreePorts(1);
    const config = join(folder, "envoy.json");
    const services = ["paths.v1.Paths", "queries.v1.Queries", "refusals.v1.Unfit"].map(
      (name) => `test.${name}Service`,
    );
    await writeFile(config, JSON.stringify(configure(port, descriptors, services)));
    const nursery = started.use(await startNursery({ folder }));
    started.use(await startEnvoy({ nursery, binary, config, port }));
    url = `http://127.0.0.1:${port}`;
  });
  after(() => started.disposeAsync());

  const statusOf = async (path: string, method = "GET") =>
    (await fetch(`${url}${path}`, { method })).status;
  const read = (file: string) => JSON.parse(readFileSync(join(testdata, file), "utf8"));

  it("takes every query parameter of the document", async () => {
    const { paths } = read("queries/expected/test.queries.v1.json");
    const { parameters } = paths["/v1/shelves/{shelvesId}/books"].get;
    const names = (parameters as readonly { in: string; name: string }[])
      .filter((parameter) => parameter.in === "query")
      .map(({ name }) => name);
    assert.deepEqual(names, Object.keys(values));
    for (const name of names) {
      assert.equal(await statusOf(`/v1/shelves/a/books?${name}=${values[name]}`), 200, name);
    }
  });

  for (const query of [
    "labels=a",
    "labels.a=b",
    "labels[a]=b",
    "labels%5Ba%5D=b",
    "items=a",
    "values=1",
    "any=a",
    "any.type_url=a",
    "struct.a=b",
    "struct=%7B%7D",
    "nested.more.a=b",
  ]) {
    it(`refuses the query ${query}`, async () => {
      assert.equal(await statusOf("/v1/search?fine=a"), 200);
      assert.equal(await statusOf(`/v1/search?${query}`), 400);
    });
  }

  it("finds every path of the document", async () => {
    const { paths } = read("paths/expected/test.paths.v1.json");
    for (const [template, item] of Object.entries(paths)) {
      for (const method of Object.keys(item as object)) {
        const path = template.replaceAll(/\{[^}]*\}/g, "1");
        assert.equal(await statusOf(path, method.toUpperCase()), 200, `${method} ${path}`);
      }
    }
    assert.equal(await statusOf("/v1/files/a/b/c"), 200);
    assert.equal(await statusOf("/v1/folders/a/b:touch", "PUT"), 200);
    assert.equal(await statusOf("/v1/nothing"), 404);
  });
});
