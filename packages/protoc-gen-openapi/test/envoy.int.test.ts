import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  create,
  createFileRegistry,
  type FileRegistry,
  fromBinary,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { startEnvoy } from "../../../tools/local/parts/envoy.ts";
import { findFreePorts } from "../../../tools/local/ports.ts";
import { startNursery } from "../../../tools/local/process/nursery.ts";
import { compileCases } from "../../proto-schemas/test/run-plugin.ts";
import { startUpstream, type Upstream } from "./envoy-upstream.ts";

const startTimeoutMs = 120_000;
const testdata = fileURLToPath(new URL("../testdata", import.meta.url));

/** Configures an Envoy that transcodes these services and forwards calls to `upstreamPort`. */
function configure(options: {
  readonly port: number;
  readonly upstreamPort: number;
  readonly descriptors: string;
  readonly services: readonly string[];
}): object {
  const { port, upstreamPort, descriptors, services } = options;
  const transcoder = {
    "@type":
      "type.googleapis.com/envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
    proto_descriptor: descriptors,
    services,
    request_validation_options: {
      reject_unknown_method: true,
      reject_unknown_query_parameters: true,
      reject_binding_body_field_collisions: true,
    },
    convert_grpc_status: true,
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
          routes: [{ match: { prefix: "/" }, route: { cluster: "upstream" } }],
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
  const upstream = { socket_address: { address: "127.0.0.1", port_value: upstreamPort } };
  const cluster = {
    name: "upstream",
    load_assignment: {
      cluster_name: "upstream",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: upstream } }] }],
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
  return {
    static_resources: {
      listeners: [{ name: "test", address, filter_chains: [{ filters }] }],
      clusters: [cluster],
    },
  };
}

/** A value for each query parameter of the case, by name. */
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

describe("Envoy, which the documents describe,", () => {
  const started = new AsyncDisposableStack();
  let folder = "";
  let url = "";
  let upstream: Upstream;
  let registry: FileRegistry;
  before(async function () {
    this.timeout(startTimeoutMs);
    const binary = process.env.ENVOY_BIN;
    assert.ok(binary, "ENVOY_BIN is not set: run the tests with npm test");
    folder = await mkdtemp(join(tmpdir(), "settle-openapi-"));
    started.defer(() => rm(folder, { recursive: true, force: true }));
    const descriptors = join(folder, "descriptors.binpb");
    const file = [...(await compileCases("packages/protoc-gen-openapi/testdata"))];
    const set = create(FileDescriptorSetSchema, { file });
    registry = createFileRegistry(set);
    await writeFile(descriptors, toBinary(FileDescriptorSetSchema, set));
    const [port = 0] = await findFreePorts(1);
    const config = join(folder, "envoy.json");
    const services = [
      "bodies.v1.Bodies",
      "paths.v1.Paths",
      "queries.v1.Queries",
      "refusals.v1.Unfit",
      "streams.v1.Streams",
    ].map((name) => `test.${name}Service`);
    upstream = started.use(await startUpstream());
    const { port: upstreamPort } = upstream;
    await writeFile(
      config,
      JSON.stringify(configure({ port, upstreamPort, descriptors, services })),
    );
    const nursery = started.use(await startNursery({ folder }));
    started.use(await startEnvoy({ nursery, binary, config, port }));
    url = `http://127.0.0.1:${port}`;
  });
  after(() => started.disposeAsync());

  /** Decodes the message of the last call as `type`. */
  const readLast = (type: string) => {
    const schema = registry.getMessage(type);
    assert.ok(schema);
    return toJson(schema, fromBinary(schema, upstream.last.messages[0] ?? new Uint8Array()));
  };
  const statusOf = async (path: string, method = "GET") =>
    (await fetch(`${url}${path}`, { method })).status;
  const read = (file: string) => JSON.parse(readFileSync(join(testdata, file), "utf8"));

  it("accepts every query parameter in the document", async () => {
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
    it(`rejects the query ${query}`, async () => {
      assert.equal(await statusOf("/v1/search?fine=a"), 200);
      assert.equal(await statusOf(`/v1/search?${query}`), 400);
    });
  }

  it("routes every path in the document", async () => {
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

  it("rejects an empty message in a query", async () => {
    assert.equal(await statusOf("/v1/shelves/a/books?empty="), 400);
    assert.equal(await statusOf("/v1/shelves/a/books?empty=%7B%7D"), 400);
  });

  it("calls neither of two methods with the same path", async () => {
    assert.equal(await statusOf("/v1/twice/a"), 404);
    assert.equal(await statusOf("/v1/twice/a?fine=b"), 404);
  });

  it("sets a field from a fixed path", async () => {
    assert.equal(await statusOf("/v1/fixed"), 200);
    assert.deepEqual(readLast("test.paths.v1.GetItemRequest"), { name: "fixed" });
  });

  const bodies: readonly (readonly [
    what: string,
    method: string,
    path: string,
    body: string,
    status: number,
  ])[] = [
    [
      "accepts the other fields of a message with a field in the path",
      "PATCH",
      "/v1/items/1",
      '{"title":"a"}',
      200,
    ],
    [
      "rejects a field in the body that is also in the path",
      "PATCH",
      "/v1/items/1",
      '{"id":"2"}',
      400,
    ],
    [
      "rejects such a field also if the body is the whole message",
      "POST",
      "/v1/items/1:move",
      '{"id":"2"}',
      400,
    ],
    ["accepts any body for a google.api.HttpBody", "POST", "/v1/convert", "plain text", 200],
    ["rejects such a body for another message", "POST", "/v1/items", "plain text", 400],
    [
      "accepts a client stream as an array",
      "POST",
      "/v1/upload",
      '[{"revision":"1"},{"revision":2}]',
      200,
    ],
    ["rejects a client stream that is not an array", "POST", "/v1/upload", '{"revision":"1"}', 400],
  ];
  for (const [what, method, path, body, status] of bodies) {
    it(what, async () => {
      const headers = { "content-type": "text/plain" };
      const answer = await fetch(`${url}${path}`, { method, body, headers });
      assert.equal(answer.status, status, await answer.text());
    });
  }

  it("sets fields from the path that the body omits", async () => {
    const path = "/v1/items/1/with/2:swap";
    const answer = await fetch(`${url}${path}`, {
      method: "POST",
      body: '{"other":{"reason":"a"}}',
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(readLast("test.bodies.v1.SwapItemsRequest"), {
      reference: { id: "1" },
      other: { reference: { id: "2" }, reason: "a" },
    });
  });

  it("needs no body when the path sets all fields", async () => {
    for (const body of [{}, { body: "{}" }]) {
      const answer = await fetch(`${url}/v1/items/1:retire`, { method: "POST", ...body });
      assert.equal(answer.status, 200);
      assert.deepEqual(readLast("test.bodies.v1.RetireItemRequest"), { id: "1" });
    }
  });

  it("accepts 64-bit integers as strings and as numbers", async () => {
    for (const revision of ["9007199254740993", 7]) {
      const body = JSON.stringify([{ revision }]);
      const answer = await fetch(`${url}/v1/upload`, { method: "POST", body });
      assert.equal(answer.status, 200, await answer.text());
    }
  });

  it("responds with the content of a google.api.HttpBody", async () => {
    upstream.answer = Buffer.from("\x0a\x0atext/plain\x12\x05hello");
    try {
      const answer = await fetch(`${url}/v1/convert`, { method: "POST", body: "a" });
      assert.equal(answer.headers.get("content-type"), "text/plain");
      assert.equal(await answer.text(), "hello");
    } finally {
      upstream.answer = new Uint8Array();
    }
  });

  it("does not start with a variable after `**` in a path template", async () => {
    const services = ["test.refusals.v1.OpenService"];
    const port = 0;
    const unfit = {
      port,
      upstreamPort: port,
      descriptors: join(folder, "descriptors.binpb"),
      services,
    };
    await writeFile(join(folder, "unfit.json"), JSON.stringify(configure(unfit)));
    const args = ["--mode", "validate", "--config-path", join(folder, "unfit.json")];
    const { status, stderr } = spawnSync(process.env.ENVOY_BIN ?? "", args, { encoding: "utf8" });
    assert.notEqual(status, 0);
    assert.match(stderr, /Cannot register 'test.refusals.v1.OpenService.Open' to path matcher/);
  });
});
