import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { serviceNames, services } from "../../../services/services.ts";
import { faultsOfEvents, whyNotName } from "../names.ts";
import { choosePort } from "../port.ts";
import { readRequest, usage } from "../request.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const resultEvent = "events.v1.PaymentResultEvent";

describe("the name of a new service", () => {
  const wrong: Readonly<Record<string, readonly string[]>> = {
    "is not a valid service name: use": ["", "a", "Shipping", "9lives", "a-b", "a_b", "é9", "../x"],
    "already exists": ["orders", "payments"],
    "it is a name that Settle uses": ["settle", "gateway"],
    "it is a user or database name": ["postgres", "template1", "admin", "guest"],
    "it is a reserved word of Protocol Buffers": ["google", "buf", "message"],
    "it is a word with a special meaning in TypeScript": ["class", "constructor", "await"],
    "it is a reserved word of Python or Java": ["lambda", "int"],
    "it is a boolean in YAML": ["on", "no"],
    "it is a folder that git, Docker or the linter ignores": ["dist", "testdata"],
    "npm start uses it for another port": ["management"],
    "it is an anchor in edge/envoy.yaml": ["http2", "limited", "breakers"],
    "the SDK already uses the name": ["order", "payment", "account", "caller", "promise", "pages"],
    "the template already uses the name RunningService": ["running"],
    "the template already uses the name services/handled/src/handled-events.ts": ["handled"],
    "it is the name of a file in the SDK": ["errors", "facades"],
    "the folder": ["events", "money", "topology", "chassis", "gen", "sdk", "web"],
    "EDGE_PORT is already in use": ["edge"],
    "AUTH_PORT is already in use": ["auth"],
    "edge/envoy.yaml or .env.example uses it already": ["unknown", "reflection"],
  };
  for (const [reason, names] of Object.entries(wrong)) {
    it(`is refused: ${reason} ...`, () => {
      for (const name of [
        ...names,
        ...(reason.startsWith("is not a valid") ? ["a".repeat(31)] : []),
      ]) {
        assert.ok(whyNotName(root, name)?.includes(reason), `${name}: ${whyNotName(root, name)}`);
      }
    });
  }

  it("can be any other valid name", () => {
    const names = ["newcomer", "ab", "b2b", "select", "a".repeat(30)];
    for (const name of names.filter((one) => !serviceNames.some((taken) => taken === one))) {
      assert.equal(whyNotName(root, name), undefined);
    }
  });
});

describe("the events of a new service", () => {
  it("are one or more events of the contract", () => {
    assert.deepEqual(faultsOfEvents([resultEvent, "events.v1.OrderCreatedEvent"]), []);
    assert.match(faultsOfEvents([]).join(), /no event to handle: name at least one with --handles/);
    for (const event of ["PaymentResultEvent", "events.v1.Nothing", "money.v1.Money"]) {
      const faults = faultsOfEvents([resultEvent, event]);
      assert.deepEqual(faults, [
        `the contract has no event ${event}: choose one that --help lists`,
      ]);
    }
  });
});

describe("the port of a new service", () => {
  it("is the next free port by default", async () => {
    const port = await choosePort(undefined);
    assert.ok(services.every((service) => service.port !== port));
    assert.equal(await choosePort(port), port);
  });

  it("is refused if it is out of range, belongs to another program or is in use", async () => {
    for (const port of [0, 80, 65_536, 8_004.5, Number.NaN]) {
      await assert.rejects(choosePort(port), /a whole number from 1024 to 65535/);
    }
    const [service] = serviceNames;
    await assert.rejects(choosePort(services[0].port), new RegExp(`it is the port of ${service};`));
    await assert.rejects(
      choosePort(8_000),
      /it is the port of the edge \(Envoy\); choose another one/,
    );
    await assert.rejects(choosePort(9_901), /it is the port of the admin interface of the edge/);
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await assert.rejects(
      choosePort(port),
      new RegExp(`taken by process ${process.pid}.*; free it`),
    );
    server.close();
  });
});

describe("the arguments of npm run new-service", () => {
  it("name events one by one or separated by commas, without duplicates", () => {
    const args = ["newcomer", "--handles", "a.A, b.B", "--handles", "c.C,a.A", "--port", "9000"];
    assert.deepEqual(readRequest(args), {
      kind: "create",
      name: "newcomer",
      events: ["a.A", "b.B", "c.C"],
      port: 9_000,
      allowDirty: false,
    });
  });

  it("name a service to remove, without other options", () => {
    assert.deepEqual(readRequest(["newcomer", "--remove"]), { kind: "remove", name: "newcomer" });
    for (const more of [["--port", "1"], ["--handles", "a.A"], ["--allow-dirty"]]) {
      assert.throws(
        () => readRequest(["newcomer", "--remove", ...more]),
        /--remove cannot be combined/,
      );
    }
  });

  it("are refused if they are invalid", () => {
    for (const args of [[], ["one", "two"]]) {
      assert.throws(() => readRequest(args), /^Error: give exactly one name/);
    }
    assert.throws(() => readRequest(["newcomer", "--handle", "a.A"]), /--handle/);
    for (const port of ["", "abc", "0x1f90", "9000.5", "9e3"]) {
      const args = ["newcomer", "--handles", "a.A", "--port", port];
      assert.throws(() => readRequest(args), new RegExp(`--port "${port}" is not a whole number`));
    }
  });

  it("are explained by --help, with a list of the events", () => {
    assert.deepEqual(readRequest(["newcomer", "--help"]), { kind: "help" });
    assert.ok(usage.includes(resultEvent));
  });
});
