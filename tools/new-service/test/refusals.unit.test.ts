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

describe("what a new service is called", () => {
  const wrong: Readonly<Record<string, readonly string[]>> = {
    "is no name for a service: take": ["", "a", "Shipping", "9lives", "a-b", "a_b", "é9", "../x"],
    "there is a service": ["orders", "payments"],
    "it is the project itself": ["settle", "gateway"],
    "it is a user or a database": ["postgres", "template1", "admin", "guest"],
    "it is a word of protobuf": ["google", "buf", "message"],
    "it is a word of TypeScript": ["class", "constructor", "await"],
    "it is a word of Python or Java": ["lambda", "int"],
    "it is true or false in YAML": ["on", "no"],
    "it is a folder that git, Docker or the linter ignore": ["dist", "testdata"],
    "it is what npm start calls": ["management"],
    "it is an anchor of edge/envoy.yaml": ["http2", "limited", "breakers"],
    "it is what the SDK calls": ["order", "payment", "account", "caller", "promise", "pages"],
    "it is what a new service calls RunningService": ["running"],
    "it is what a new service calls services/handled/src/handled-events.ts": ["handled"],
    "it is a file of the SDK": ["errors", "facades"],
    "it is the folder": ["events", "money", "topology", "chassis", "gen", "sdk", "web"],
    "it is what EDGE_PORT is about": ["edge"],
    "it is what AUTH_PORT is about": ["auth"],
    "it is a name in the files": ["unknown", "reflection"],
  };
  for (const [reason, names] of Object.entries(wrong)) {
    it(`is not what ${reason} ...`, () => {
      for (const name of [...names, ...(reason.startsWith("is no") ? ["a".repeat(31)] : [])]) {
        assert.ok(whyNotName(root, name)?.includes(reason), `${name}: ${whyNotName(root, name)}`);
      }
    });
  }

  it("may be anything else", () => {
    const names = ["newcomer", "ab", "b2b", "select", "a".repeat(30)];
    for (const name of names.filter((one) => !serviceNames.some((taken) => taken === one))) {
      assert.equal(whyNotName(root, name), undefined);
    }
  });
});

describe("what a new service handles", () => {
  it("is one or more events of the contract", () => {
    assert.deepEqual(faultsOfEvents([resultEvent, "events.v1.OrderCreatedEvent"]), []);
    assert.match(faultsOfEvents([]).join(), /no event to handle: name one or more by --handles/);
    for (const event of ["PaymentResultEvent", "events.v1.Nothing", "money.v1.Money"]) {
      const faults = faultsOfEvents([resultEvent, event]);
      assert.deepEqual(faults, [`there is no event ${event}: --help lists those of the contract`]);
    }
  });
});

describe("where a new service listens", () => {
  it("is the next port that is free, if nobody says otherwise", async () => {
    const port = await choosePort(undefined);
    assert.ok(services.every((service) => service.port !== port));
    assert.equal(await choosePort(port), port);
  });

  it("is no port that is none, that is another's, or that is in use", async () => {
    for (const port of [0, 80, 65_536, 8_004.5, Number.NaN]) {
      await assert.rejects(choosePort(port), /a whole number from 1024 to 65535/);
    }
    const [service] = serviceNames;
    await assert.rejects(choosePort(services[0].port), new RegExp(`it is the port of ${service};`));
    await assert.rejects(choosePort(8_000), /it is the port of the edge \(Envoy\); choose another/);
    await assert.rejects(choosePort(9_901), /it is the port of the edge's administration/);
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await assert.rejects(choosePort(port), new RegExp(`taken by process ${process.pid}.*; stop`));
    server.close();
  });
});

describe("the arguments of npm run new-service", () => {
  it("name events one by one, or several with commas between, each once", () => {
    const args = ["newcomer", "--handles", "a.A, b.B", "--handles", "c.C,a.A", "--port", "9000"];
    assert.deepEqual(readRequest(args), {
      kind: "create",
      name: "newcomer",
      events: ["a.A", "b.B", "c.C"],
      port: 9_000,
      allowDirty: false,
    });
  });

  it("name a service to be taken out, and nothing besides", () => {
    assert.deepEqual(readRequest(["newcomer", "--remove"]), { kind: "remove", name: "newcomer" });
    for (const more of [["--port", "1"], ["--handles", "a.A"], ["--allow-dirty"]]) {
      assert.throws(() => readRequest(["newcomer", "--remove", ...more]), /a name alone/);
    }
  });

  it("are refused where they are not understood", () => {
    for (const args of [[], ["one", "two"]]) {
      assert.throws(() => readRequest(args), /^Error: Give one name/);
    }
    assert.throws(() => readRequest(["newcomer", "--handle", "a.A"]), /--handle/);
    for (const port of ["", "abc", "0x1f90", "9000.5", "9e3"]) {
      const args = ["newcomer", "--handles", "a.A", "--port", port];
      assert.throws(() => readRequest(args), new RegExp(`--port "${port}" is no whole number`));
    }
  });

  it("are explained, with the events there are", () => {
    assert.deepEqual(readRequest(["newcomer", "--help"]), { kind: "help" });
    assert.ok(usage.includes(resultEvent));
  });
});
