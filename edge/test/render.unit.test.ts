import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { composeEdge, type EdgeSettings, readEdge, renderEdge } from "../render.ts";

const everySetting: Required<EdgeSettings> = {
  listenAddress: "0.0.0.0",
  listenPort: 1,
  adminPort: 2,
  orders: { host: "orders.example", port: 3 },
  payments: { host: "payments.example", port: 4 },
  descriptorsPath: "/a path/with: yaml #in it",
  corsOrigins: ["https://a.example", "https://b.example"],
  requestsPerSecond: 5,
  requestsPerSecondPerAddress: 6,
};

describe("renderEdge", () => {
  it("changes nothing without settings", () => {
    assert.equal(renderEdge({}), readEdge());
  });

  it("replaces every setting of the file", () => {
    const rendered = read(renderEdge(everySetting));
    const { corsOrigins, ...plain } = everySetting;
    const exact = corsOrigins.map((origin) => ({ exact: origin }));
    assert.deepEqual(rendered.settings, { ...plain, corsOrigins: exact });
  });

  it("replaces nothing else", () => {
    const { settings: local, ...before } = withoutAliases(readEdge());
    const { settings: rendered, ...after } = withoutAliases(renderEdge(everySetting));
    assert.notDeepEqual(local, rendered);
    assert.deepEqual(before, after);
  });

  it("puts a setting wherever it is used", () => {
    const rendered = JSON.stringify(read(renderEdge({ orders: { host: "elsewhere", port: 3 } })));
    const addresses = rendered.match(/\{"address":"elsewhere","port_value":3\}/g);
    assert.equal(addresses?.length, 2);
    assert.doesNotMatch(rendered, /8002/);
  });

  it("refuses a setting that the file does not have", () => {
    const local = readEdge().replace("adminPort: &adminPort 9901", "adminPortal: &adminPort 9901");
    assert.throws(() => renderEdge({ adminPort: 1 }, local), /no edge setting adminPort/);
  });

  it("refuses a setting that nothing uses", () => {
    const local = readEdge().replace("*adminPort", "9901");
    assert.throws(() => renderEdge({ adminPort: 1 }, local), /nothing uses .* adminPort/);
  });
});

describe("edge/render.ts", () => {
  const print = (...args: string[]) =>
    execFileSync(process.execPath, [fileURLToPath(import.meta.resolve("../render.ts")), ...args], {
      encoding: "utf8",
      stdio: "pipe",
    });

  it("prints the edge of compose", () => {
    assert.equal(print(), renderEdge(composeEdge));
  });

  it("takes origins and rates", () => {
    const args = ["--cors-origin=https://a.example", "--cors-origin=https://b.example"];
    args.push("--requests-per-second=7", "--requests-per-second-per-address=8");
    const corsOrigins = ["https://a.example", "https://b.example"];
    const rates = { requestsPerSecond: 7, requestsPerSecondPerAddress: 8 };
    assert.equal(print(...args), renderEdge({ ...composeEdge, corsOrigins, ...rates }));
  });

  it("refuses a rate that is none", () => {
    assert.throws(() => print("--requests-per-second=0"), /not a number of requests a second/);
  });
});

function read(config: string): Record<string, unknown> {
  return parseDocument(config).toJS();
}

/** The configuration with aliases left as their names, so that it does not depend on settings. */
function withoutAliases(config: string): Record<string, unknown> {
  return read(config.replaceAll(/\*(\w+)/g, "alias-$1"));
}
