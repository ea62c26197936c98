import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import {
  create,
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { compileCases } from "../../packages/proto-schemas/test/run-plugin.ts";
import { writeRestGuard } from "../../tools/generate/rest-guard.ts";
import { startEnvoy } from "../../tools/local/parts/envoy.ts";
import { findFreePorts } from "../../tools/local/ports.ts";
import { startNursery } from "../../tools/local/process/nursery.ts";
import { descriptorsPath, envoyBinary } from "./lab.ts";
import { createRandom, isAcceptable, writeBody } from "./rest-guard-bodies.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** More with GUARD_BODIES=100000. */
const bodyCount = Number(process.env.GUARD_BODIES ?? 1_500);
const startTimeoutMs = 120_000;
const filters = "type.googleapis.com/envoy.extensions.filters.http";

type Verdict = { readonly status: number; readonly body: string };

/** The guard alone: what it accepts is answered with 200. */
type Guard = AsyncDisposable & {
  readonly types: FileRegistry;
  ask(method: string, path: string, body?: string | Buffer): Promise<Verdict>;
};

/**
 * Starts the guard for these descriptors in an Envoy without a transcoder. `breakAt` is a text of its
 * program after which it fails.
 */
async function startGuard(descriptors: Uint8Array, breakAt = ""): Promise<Guard> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "settle-guard-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const [port = 0] = await findFreePorts(1);
  const config = join(folder, "envoy.json");
  const program = writeRestGuard(descriptors, root);
  assert.ok(program.includes(breakAt), `the guard does not contain ${breakAt}`);
  const tried = breakAt ? program.replace(breakAt, `${breakAt} missing()`) : program;
  await writeFile(config, JSON.stringify(configure(port, tried)));
  const nursery = starting.use(await startNursery({ folder }));
  starting.use(await startEnvoy({ nursery, binary: envoyBinary(), config, port }));
  const agent = new Agent({ keepAlive: true });
  starting.defer(() => agent.destroy());
  const started = starting.move();
  return {
    types: createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors)),
    async ask(method, path, body) {
      const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
      const headers = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
      const call = request({ host: "127.0.0.1", port, method, path, agent, headers }, (answer) => {
        text(answer).then(
          (read) => resolve({ status: answer.statusCode ?? 0, body: read }),
          reject,
        );
      });
      call.on("error", reject);
      call.end(body);
      return promise;
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function configure(port: number, program: string): object {
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
      {
        name: "buffer",
        typed_config: { "@type": `${filters}.buffer.v3.Buffer`, max_request_bytes: 65_536 },
      },
      {
        name: "lua",
        typed_config: {
          "@type": `${filters}.lua.v3.Lua`,
          default_source_code: { inline_string: program },
        },
      },
      { name: "router", typed_config: { "@type": `${filters}.router.v3.Router` } },
    ],
  };
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  const name = "envoy.filters.network.http_connection_manager";
  const chain = { filters: [{ name, typed_config: manager }] };
  return { static_resources: { listeners: [{ name: "test", address, filter_chains: [chain] }] } };
}

/** Fails unless the guard and JSON.parse with the descriptors agree about seeded bodies. */
async function assertSameVerdicts(
  { ask }: Guard,
  message: DescMessage | undefined,
  path: string,
  taken: readonly string[] = [],
): Promise<void> {
  assert.ok(message);
  let accepted = 0;
  for (let seed = 0; seed < bodyCount; seed += 1) {
    const body = writeBody(createRandom(seed), message);
    const expected = isAcceptable(body, message, taken);
    accepted += expected ? 1 : 0;
    const { status, body: answer } = await ask("POST", path, body);
    const what = `seed ${seed}: ${JSON.stringify(body.toString("latin1"))} ${answer}`;
    assert.equal(status, expected ? 200 : 400, what);
    if (!expected) assert.equal((JSON.parse(answer) as { code: number }).code, 3, what);
  }
  const share = accepted / bodyCount;
  assert.ok(share > 0.15 && share < 0.85, `${accepted} of ${bodyCount} are acceptable`);
}

describe("the REST guard", () => {
  let guard: Guard;
  before(async () => {
    guard = await startGuard(readFileSync(descriptorsPath));
  });
  after(() => guard?.[Symbol.asyncDispose]());

  it("lets no request pass if it fails itself, before or after the body", async () => {
    const breaks = ["local headers = handle:headers()", "local body = handle:body()"];
    for (const breakAt of breaks) {
      await using broken = await startGuard(readFileSync(descriptorsPath), breakAt);
      const { status, body } = await broken.ask("POST", "/gateway/orders", "{}");
      assert.equal(status, 500, breakAt);
      assert.match(body, /"INTERNAL"/);
    }
  });

  it("agrees with JSON.parse and the contract about bodies", async () => {
    const { types } = guard;
    const create = types.getMessage("orders.v1.CreateOrderRequest");
    await assertSameVerdicts(guard, create, "/gateway/orders");
    const deposit = types.getMessage("payments.v1.DepositRequest");
    const path = "/gateway/payments/accounts/alice:deposit";
    await assertSameVerdicts(guard, deposit, path, ["user_id"]);
  }).timeout(startTimeoutMs);

  it("limits the depth, also of a body that is as large as allowed", async () => {
    for (const nested of ["[", '{"amount":', '{"userId":[']) {
      const { status } = await guard.ask("POST", "/gateway/orders", nested.repeat(5_000));
      assert.equal(status, 400);
    }
  });
});

describe("the REST guard of any contract", () => {
  let guard: Guard;
  before(async function () {
    this.timeout(startTimeoutMs);
    const cases = await compileCases("packages/protoc-gen-openapi/testdata");
    // Its rules are invalid.
    const file = cases.filter(({ name }) => !name.startsWith("refusals/"));
    const set = create(FileDescriptorSetSchema, { file });
    guard = await startGuard(toBinary(FileDescriptorSetSchema, set));
  });
  after(() => guard?.[Symbol.asyncDispose]());

  it("agrees with JSON.parse and the descriptors about every type", async () => {
    const everything = guard.types.getMessage("test.types.v1.Everything");
    await assertSameVerdicts(guard, everything, "/v1/everything");
  }).timeout(startTimeoutMs);

  const plain = '"@type":"type.googleapis.com/test.types.v1.Plain"';
  const accepted: readonly (readonly [method: string, path: string, body?: string])[] = [
    ["POST", "/v1/everything", '{"any":{"text":"a",'.concat(plain, "}}")],
    ["POST", "/v1/everything", `{"any":{${plain}}}`],
    [
      "POST",
      "/v1/everything",
      '{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}',
    ],
    ["POST", "/v1/everything", '{"name":"a","number":null,"left":"a"}'],
    ["POST", "/v1/everything", '{"otherName":"a"}'],
    ["POST", "/v1/everything", '{"renamed":"a"}'],
    ["POST", "/v1/everything", '{"value":null,"null":null,"values":[null],"struct":{"a":null}}'],
    ["POST", "/v1/everything", `${'{"parent":'.repeat(99)}{}${"}".repeat(99)}`],
    ["PATCH", "/v1/items/1", '{"title":"a"}'],
    ["PUT", "/v1/items", '{"id":"1"}'],
    ["PUT", "/v1/items/1/tags", '["a"]'],
    ["POST", "/v1/items/1/with/2:swap", '{"other":{"reason":"a"}}'],
    ["POST", "/v1/items/1:retire"],
    ["POST", "/v1/items/1:retire", "{}"],
    ["POST", "/v1/convert", "\xffplain text"],
    ["POST", "/v1/upload", '[{"revision":"1"},{"revision":2}]'],
    ["GET", "/v1/files/a/b/c"],
    ["PUT", "/v1/folders/a/b:touch"],
    ["GET", "/v1/shelves/a/books?words=a&words=b&filter.range.low=1&filter.range.high=2"],
    ["GET", "/v1/shelves/a/books/?page%5Fsize=1&&"],
    ["DELETE", "/v1/items/1"],
  ];
  for (const [method, path, body] of accepted) {
    it(`accepts ${method} ${path} ${body?.slice(0, 60) ?? ""}`, async () => {
      const { status, body: answer } = await guard.ask(method, path, body);
      assert.equal(status, 200, answer);
    });
  }

  const violated: readonly (readonly [
    field: string,
    method: string,
    path: string,
    body?: string,
  ])[] = [
    ["any.tex", "POST", "/v1/everything", `{"any":{"tex":"a",${plain}}}`],
    ['any["text"]', "POST", "/v1/everything", `{"any":{${plain},"text":"a","te\\u0078t":"b"}}`],
    ["number", "POST", "/v1/everything", '{"name":"a","number":1}'],
    ["otherName", "POST", "/v1/everything", '{"otherName":"a","renamed":"b"}'],
    ["children[1].parent.x", "POST", "/v1/everything", '{"children":[{},{"parent":{"x":1}}]}'],
    ['childrenByNumber["2"].x', "POST", "/v1/everything", '{"childrenByNumber":{"2":{"x":1}}}'],
    ['textByName["a"]', "POST", "/v1/everything", '{"textByName":{"a":"1","\\u0061":"2"}}'],
    ['struct["a"][0]["b"]', "POST", "/v1/everything", '{"struct":{"a":[{"b":1,"b":2}]}}'],
    ["empty.x", "POST", "/v1/everything", '{"empty":{"x":1}}'],
    ["id", "PATCH", "/v1/items/1", '{"id":"1"}'],
    ["item.id", "POST", "/v1/items/1:retitle", '{"item":{"id":"1"}}'],
    ["other.reference.id", "POST", "/v1/items/1/with/2:swap", '{"other":{"reference":{"id":"2"}}}'],
    ["[1].x", "POST", "/v1/upload", '[{},{"x":1}]'],
    ["pageSize", "GET", "/v1/shelves/a/books?pageSize=1&page_size=1"],
    ["filter.range.low", "GET", "/v1/shelves/a/books?filter.range.low=1&filter.range.low=1"],
    ["code", "GET", "/v1/shelves/a/books?city=a&code=b"],
  ];
  for (const [field, method, path, body] of violated) {
    it(`names ${field} in ${method} ${path} ${body ?? ""}`, async () => {
      const { status, body: answer } = await guard.ask(method, path, body);
      assert.equal(status, 400, answer);
      const { details } = JSON.parse(answer);
      assert.equal(details[0].reason, "VALIDATION_FAILED");
      assert.equal(details[1].fieldViolations[0].field, field);
    });
  }

  const malformed: readonly (readonly [method: string, path: string, body?: string])[] = [
    ["POST", "/v1/everything", '{"list":1}'],
    ["POST", "/v1/everything", '{"list":[null]}'],
    ["POST", "/v1/everything", '{"textByName":[]}'],
    ["POST", "/v1/everything", `${'{"parent":'.repeat(101)}{}${"}".repeat(101)}`],
    ["POST", "/v1/upload", '{"revision":"1"}'],
    ["DELETE", "/v1/items/1", "{}"],
    ["GET", "/v1/shelves/a/books?parent=b"],
    ["GET", "/v1/shelves/a/books?filter.range=1&filter.range.low.x=1"],
    ["GET", "/v1/shelves/a/books?since.seconds=1"],
    ["GET", "/v1/shelves/a/books?pageSize"],
    ["GET", "/v1/shelves/a/books?=1"],
    ["GET", "/v1/shelves/a/books?filter..id=1"],
    ["PATCH", "/v1/items/1?item.title=a", "{}"],
  ];
  for (const [method, path, body] of malformed) {
    it(`rejects ${method} ${path} ${body?.slice(0, 60) ?? ""}`, async () => {
      const { status, body: answer } = await guard.ask(method, path, body);
      assert.equal(status, 400, answer);
      assert.equal(JSON.parse(answer).details[0].reason, "MALFORMED_REQUEST");
    });
  }

  it("repeats nothing that is not UTF-8", async () => {
    for (const path of ["/v1/shelves/a/books?%ff%22=1", "/v1/shelves/a/books?%e2%82=1"]) {
      const { status, body } = await guard.ask("GET", path);
      assert.equal(status, 400, body);
      const { message } = JSON.parse(body) as { message: string };
      assert.match(message, /^Could not find field "\?"?" among/);
    }
  });

  it("rejects a path of no method", async () => {
    for (const [method, path] of [
      ["POST", "/v1/nothing"],
      ["POST", "/v1/items/1"],
      ["GET", "/v1/items/1:move"],
      ["GET", "/"],
      ["OPTIONS", "*"],
    ] as const) {
      assert.equal((await guard.ask(method, path)).status, 404, path);
    }
  });
});
