import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { perService } from "../../services/services.ts";
import { composeEdge, type EdgeSettings, readEdge, renderEdge } from "../render.ts";

const everySetting: Required<EdgeSettings> = {
  listenAddress: "0.0.0.0",
  listenPort: 1,
  adminPort: 2,
  metricsAddress: "10.0.0.2",
  metricsPort: 3,
  services: perService((name) => [
    { host: `${name}-1.example`, port: 3 },
    { host: `${name}-2.example`, port: 4 },
  ]),
  auth: {
    issuer: "https://issuer.example",
    audience: "an audience",
    jwksUrl: "https://keys.example:6/keys.json",
  },
  descriptorsPath: "/a path/with: yaml #in it",
  restGuardPath: "/another path",
  connectionCapPath: "/yet another path",
  corsOrigins: ["https://a.example", "https://b.example"],
  trustedHops: 10,
  connections: 11,
  connectionsPerAddress: 12,
  requestsPerSecond: 7,
  requestsPerSecondPerAddress: 8,
  requestsPerSecondPerUser: 9,
};

describe("renderEdge", () => {
  it("changes nothing without settings", () => {
    assert.equal(renderEdge({}), readEdge());
  });

  it("replaces every setting of the file", () => {
    const rendered = read(renderEdge(everySetting));
    const { corsOrigins, services, ...plain } = everySetting;
    assert.deepEqual(rendered.settings, {
      ...plain,
      corsOrigins: corsOrigins.map((origin) => ({ exact: origin })),
      services: perService((name) => services[name]?.map(endpointOf)),
    });
  });

  it("replaces nothing else", () => {
    const { settings: local, derived: follows, ...before } = withoutAliases(readEdge());
    const edge = withoutAliases(renderEdge(everySetting));
    const { settings: rendered, derived: followed, ...after } = edge;
    assert.notDeepEqual(local, rendered);
    assert.notDeepEqual(follows, followed);
    assert.deepEqual(before, after);
  });

  it("replaces a setting wherever it is used", () => {
    const services = { orders: [{ host: "elsewhere", port: 3 }] };
    const { settings, ...edge } = read(renderEdge({ services }));
    const rendered = JSON.stringify(edge);
    const addresses = rendered.match(/\{"address":"elsewhere","port_value":3\}/g);
    assert.equal(addresses?.length, 6);
    assert.doesNotMatch(rendered, /8002/);
  });

  it("derives what may come at once from the rates", () => {
    const rates = { requestsPerSecondPerAddress: 1_001, requestsPerSecondPerUser: 1 };
    const { derived } = read(renderEdge(rates));
    const { requestsAtOncePerAddress, requestsAtOncePerUser } = derived as Record<string, unknown>;
    assert.deepEqual([requestsAtOncePerAddress, requestsAtOncePerUser], [501, 1]);
    assert.equal(renderEdge(ratesOf(readEdge())), readEdge());
  });

  it("derives the address of the issuer from the URL of its keys", () => {
    const derivedFrom = (jwksUrl: string) =>
      issuerIn(renderEdge({ auth: { ...everySetting.auth, jwksUrl } }));
    const sockets = "type.googleapis.com/envoy.extensions.transport_sockets";
    const issuerTransport = { "@type": `${sockets}.raw_buffer.v3.RawBuffer` };
    const issuers: Record<string, [host: string, port: number]> = {
      "http://127.0.0.1:8003/.well-known/jwks.json": ["127.0.0.1", 8003],
      "http://keys.example": ["keys.example", 80],
      "http://[::1]:81/keys?a=b": ["::1", 81],
    };
    for (const [url, [issuerHost, issuerPort]] of Object.entries(issuers)) {
      assert.deepEqual(derivedFrom(url), { issuerHost, issuerPort, issuerTransport });
    }
    assert.deepEqual(derivedFrom(readLocalKeysUrl()), issuerIn(readEdge()));

    const overTls = (name: object, expected: object) => ({
      "@type": `${sockets}.tls.v3.UpstreamTlsContext`,
      ...name,
      common_tls_context: {
        validation_context: {
          trusted_ca: { filename: "/etc/ssl/certs/ca-certificates.crt" },
          match_typed_subject_alt_names: [expected],
        },
      },
    });
    assert.deepEqual(derivedFrom("https://keys.example/keys"), {
      issuerHost: "keys.example",
      issuerPort: 443,
      issuerTransport: overTls(
        { sni: "keys.example" },
        { san_type: "DNS", matcher: { exact: "keys.example" } },
      ),
    });
    assert.deepEqual(derivedFrom("https://192.0.2.1:444/keys"), {
      issuerHost: "192.0.2.1",
      issuerPort: 444,
      issuerTransport: overTls({}, { san_type: "IP_ADDRESS", matcher: { exact: "192.0.2.1" } }),
    });
  });

  it("does not cap the connections of one address behind a proxy, which has all of them", () => {
    const capOf = (settings: EdgeSettings) =>
      (read(renderEdge(settings)).settings as EdgeSettings).connectionsPerAddress;
    const local = read(readEdge()).settings as Required<EdgeSettings>;
    assert.ok(local.connectionsPerAddress < local.connections);
    assert.equal(capOf({ trustedHops: 1 }), local.connections);
    assert.equal(capOf({ trustedHops: 1, connections: 9 }), 9);
    assert.equal(capOf({ trustedHops: 1, connectionsPerAddress: 8 }), 8);
    assert.equal(capOf({ trustedHops: 0, connections: 9_000 }), local.connectionsPerAddress);
  });

  it("rejects a service without instances, and an invalid URL of the keys", () => {
    assert.throws(() => renderEdge({ services: { orders: [] } }), /orders has no instance/);
    for (const jwksUrl of ["", "keys", "ftp://a/keys", "http://a:b@c/keys", "http://a/#keys"]) {
      const auth = { ...everySetting.auth, jwksUrl };
      assert.throws(() => renderEdge({ auth }), /not an http or https URL for the issuer's keys/);
    }
  });

  it("rejects a setting that the file does not have", () => {
    const local = readEdge().replace("adminPort: &adminPort 9901", "adminPortal: &adminPort 9901");
    assert.throws(() => renderEdge({ adminPort: 1 }, local), /no edge setting adminPort/);
  });

  it("rejects a setting that nothing uses", () => {
    const local = readEdge().replaceAll("*adminPort", "9901");
    assert.throws(() => renderEdge({ adminPort: 1 }, local), /nothing uses .* adminPort/);
  });
});

describe("edge/render.ts", () => {
  const print = (...args: string[]) =>
    execFileSync(process.execPath, [fileURLToPath(import.meta.resolve("../render.ts")), ...args], {
      encoding: "utf8",
      stdio: "pipe",
    });

  it("prints the edge of Docker Compose", () => {
    assert.equal(print(), renderEdge(composeEdge));
  });

  it("accepts an issuer, origins and limits", () => {
    const { auth, corsOrigins, trustedHops, connections, connectionsPerAddress } = everySetting;
    const { requestsPerSecond } = everySetting;
    const { requestsPerSecondPerAddress, requestsPerSecondPerUser } = everySetting;
    const args = corsOrigins.map((origin) => `--cors-origin=${origin}`);
    args.push(`--auth-issuer=${auth.issuer}`, `--auth-audience=${auth.audience}`);
    args.push(`--auth-jwks-url=${auth.jwksUrl}`, `--requests-per-second=${requestsPerSecond}`);
    args.push(`--requests-per-second-per-address=${requestsPerSecondPerAddress}`);
    args.push(`--requests-per-second-per-user=${requestsPerSecondPerUser}`);
    args.push(`--trusted-hops=${trustedHops}`, `--connections=${connections}`);
    args.push(`--connections-per-address=${connectionsPerAddress}`);
    const rates = { requestsPerSecond, requestsPerSecondPerAddress, requestsPerSecondPerUser };
    const limits = { trustedHops, connections, connectionsPerAddress, ...rates };
    assert.equal(print(...args), renderEdge({ ...composeEdge, auth, corsOrigins, ...limits }));
    const issuer = { ...composeEdge.auth, issuer: "https://issuer.example" };
    const [issuerOnly = ""] = args.filter((arg) => arg.startsWith("--auth-issuer"));
    assert.equal(print(issuerOnly), renderEdge({ ...composeEdge, auth: issuer }));
  });

  it("prints one line for an invalid option", () => {
    const faults: Record<string, RegExp> = {
      "--trusted-hops=-1": /^not a number of proxies: -1\n$/,
      "--connections=0": /^not a number of connections: 0\n$/,
      "--requests-per-second=0": /^not a number of requests per second: 0\n$/,
      "--requests-per-second-per-user=x": /^not a number of requests per second: x\n$/,
      "--auth-issuer=": /^--auth-issuer is empty\n$/,
      "--auth-jwks-url=keys": /^not an http or https URL for the issuer's keys: keys\n$/,
      "--nothing": /^Unknown option '--nothing'/,
    };
    for (const [option, fault] of Object.entries(faults)) {
      assert.throws(
        () => print(option),
        (error: { status: number; stderr: string }) => {
          assert.match(error.stderr, fault);
          return error.status === 1;
        },
      );
    }
  });

  it("prints its options", () => {
    for (const option of ["auth-issuer", "auth-jwks-url", "requests-per-second-per-user"]) {
      assert.match(print("--help"), new RegExp(`^ {2}--${option} <`, "m"));
    }
  });
});

function endpointOf({ host, port }: { host: string; port: number }): object {
  return { endpoint: { address: { socket_address: { address: host, port_value: port } } } };
}

function readLocalKeysUrl(): string {
  const { settings } = read(readEdge()) as { settings: Required<EdgeSettings> };
  return settings.auth.jwksUrl;
}

/** The values that the configuration derives from the URL of the issuer's keys. */
function issuerIn(config: string) {
  const { issuerHost, issuerPort, issuerTransport } = read(config).derived as Record<
    string,
    unknown
  >;
  return { issuerHost, issuerPort, issuerTransport };
}

function ratesOf(config: string): EdgeSettings {
  const { requestsPerSecondPerAddress, requestsPerSecondPerUser } = read(config)
    .settings as Required<EdgeSettings>;
  return { requestsPerSecondPerAddress, requestsPerSecondPerUser };
}

function read(config: string): Record<string, unknown> {
  return parseDocument(config).toJS();
}

/** The configuration with aliases left as their names, so that it does not depend on settings. */
function withoutAliases(config: string): Record<string, unknown> {
  return read(config.replaceAll(/\*(\w+)/g, "alias-$1"));
}
