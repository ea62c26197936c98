import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { serviceNames, serviceNodeOptions } from "../../services/services.ts";
import { type LocalPort, localPorts } from "../../tools/local/local-ports.ts";

type Service = {
  readonly image?: string;
  readonly build?: {
    readonly target: string;
    readonly args?: Readonly<Record<string, string>>;
  };
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly restart?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly mem_limit?: string;
  readonly stop_grace_period?: string;
};

/** The maximum nesting of variables in defaults. */
const maxNesting = 2;
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const composeText = read("docker-compose.yml");
const compose: { services: Record<string, Service> } = parse(composeText, { merge: true });
const services = new Map(Object.entries(compose.services));
/** The names of the services in Docker Compose. */
const ours = serviceNames.map((name) => `${name}-service`);
const stages = new Map(
  read("Dockerfile")
    .split(/^FROM /m)
    .slice(1)
    .map((text) => {
      const [, base = "", name = ""] = /^(\S+) AS (\S+)/.exec(text) ?? [];
      return [name, { base, text }] as const;
    }),
);
// PostgreSQL versions have two numbers.
const isExactTag = (image: string) =>
  /^(postgres:\d+|[^:]+:v?\d+\.\d+)\.\d+(-[a-z]+)*$/.test(image);

describe("docker-compose.yml", () => {
  it("has the documented names", () => {
    assert.deepEqual(
      [...services.keys()].sort(),
      [
        "api-gateway",
        "dev-issuer",
        "frontend",
        "postgres",
        "provision",
        "provisioner",
        "rabbitmq",
        ...ours,
      ].sort(),
    );
  });

  it("publishes the ports of npm start with the same variables, on loopback except page and edge", () => {
    const port = ({ variable, fallback }: LocalPort) => `\${${variable}:-${fallback}}`;
    const published = Object.fromEntries(
      [...services].flatMap(([name, { ports }]) => (ports ? [[name, ports]] : [])),
    );
    assert.deepEqual(published, {
      postgres: [`127.0.0.1:${port(localPorts.postgres)}:5432`],
      rabbitmq: [
        `127.0.0.1:${port(localPorts.amqp)}:5672`,
        `127.0.0.1:${port(localPorts.management)}:15672`,
      ],
      ...Object.fromEntries(
        serviceNames.map((name) => [
          `${name}-service`,
          [`127.0.0.1:${port(localPorts[name])}:8080`],
        ]),
      ),
      "dev-issuer": [`127.0.0.1:${port(localPorts.auth)}:8080`],
      "api-gateway": [`${port(localPorts.edge)}:8000`],
      frontend: [`${port(localPorts.page)}:8080`],
    });
  });

  it("starts each part after its dependencies are healthy", () => {
    const needs = Object.fromEntries(
      [...services].map(([name, { depends_on = {} }]) => [
        name,
        Object.entries(depends_on).map(([other, { condition }]) => `${other} ${condition}`),
      ]),
    );
    assert.deepEqual(needs, {
      postgres: [],
      rabbitmq: [],
      provision: ["postgres service_healthy", "rabbitmq service_healthy"],
      provisioner: ["provision service_completed_successfully"],
      // It does not start in production, so nothing may depend on it.
      "dev-issuer": [],
      ...Object.fromEntries(
        ours.map((name) => [name, ["provision service_completed_successfully"]]),
      ),
      "api-gateway": ["orders-service service_healthy", "payments-service service_healthy"],
      // It shows its users what is unavailable.
      frontend: [],
    });
    for (const [name, service] of services) {
      // Nothing waits for these two, and they serve nothing.
      if (name.startsWith("provision")) continue;
      const stage = stages.get(service.build?.target ?? "");
      assert.ok(service.healthcheck ?? stage?.text.includes("\nHEALTHCHECK "), name);
    }
  });

  it("limits privileges and memory of each part", () => {
    for (const [name, service] of services) {
      assert.deepEqual(service.cap_drop, ["ALL"], name);
      assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
      assert.match(service.mem_limit ?? "", /^\d+[mg]$/, name);
      assert.ok(service.restart, name);
      // Third-party images write to their own file system.
      assert.equal(service.read_only === true, service.build !== undefined, name);
    }
  });

  it("gives the services more time to stop than they use", () => {
    for (const name of [...ours, "api-gateway"]) {
      assert.ok(Number.parseInt(services.get(name)?.stop_grace_period ?? "", 10) > 15, name);
    }
  });

  it("uses the variables of .env.example with the same defaults", () => {
    // Variables that npm start also reads, with another meaning, are commented out.
    const example = Object.fromEntries(
      [...read(".env.example").matchAll(/^#?([A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    const used = new Set<string>();
    // Defaults can contain variables, so inner ones are replaced first.
    const innermost = /\$\{(\w+)(?::-([^${}]*))?\}/g;
    let text = composeText;
    for (let depth = 0; depth < maxNesting; depth += 1) {
      text = text.replace(innermost, (_, name: string, fallback: string | undefined) => {
        assert.equal(example[name], fallback, name);
        used.add(name);
        return fallback ?? "";
      });
    }
    assert.doesNotMatch(text, /\$\{/);
    assert.deepEqual(Object.keys(example).sort(), [...used].sort());
  });

  it("lets npm start use its development issuer if .env.example is copied to .env", () => {
    assert.doesNotMatch(
      read(".env.example"),
      /^(AUTH_(ISSUER|AUDIENCE|JWKS_URL)|OIDC_(AUTHORITY|CLIENT_ID))=./m,
    );
  });

  it("configures services, edge and issuer with the same issuer", () => {
    const environmentOf = (name: string) => services.get(name)?.environment ?? {};
    const { AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URL } = environmentOf("orders-service");
    const auth = { AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS_URL };
    for (const name of ours) {
      assert.deepEqual({ ...environmentOf(name), ...auth }, environmentOf(name));
    }
    const edge = services.get("api-gateway")?.build?.args ?? {};
    assert.deepEqual({ ...edge, ...auth }, edge);
    assert.equal(AUTH_ISSUER, `\${AUTH_ISSUER:-${environmentOf("dev-issuer").ISSUER_URL}}`);
    assert.equal(AUTH_AUDIENCE, environmentOf("dev-issuer").AUDIENCE);
    for (const name of [...ours, "dev-issuer", "frontend"]) {
      assert.match(environmentOf(name).NODE_ENV ?? "", /^\$\{NODE_ENV:-development\}$/, name);
    }
    const inImage = [...(stages.get("edge-config")?.text ?? "").matchAll(/^ARG (\w+)=(.*)$/gm)];
    assert.deepEqual(
      inImage.map(([, name, value]) => [name, value]),
      Object.keys(edge).map((name) => [
        name,
        new RegExp(`^#${name}=(.*)$`, "m").exec(read(".env.example"))?.[1],
      ]),
    );
  });

  it("configures the page with edge and issuer, and both of them with the page", () => {
    const page = services.get("frontend")?.environment ?? {};
    const issuer = services.get("dev-issuer")?.environment ?? {};
    const edgeAt = `http://localhost:\${EDGE_PORT:-${localPorts.edge.fallback}}`;
    const pageAt = `http://localhost:\${WEB_PORT:-${localPorts.page.fallback}}`;
    assert.equal(page.EDGE_URL, `\${EDGE_URL:-${edgeAt}}`);
    assert.equal(page.DEV_ISSUER_URL, issuer.ISSUER_URL);
    assert.equal(
      page.AUTH_USER_CLAIM,
      services.get("orders-service")?.environment?.AUTH_USER_CLAIM,
    );
    const origin = `\${WEB_ORIGIN:-${pageAt}}`;
    assert.equal(issuer.CORS_ORIGINS, `${origin},${edgeAt}`);
    assert.equal(services.get("api-gateway")?.build?.args?.WEB_ORIGIN, origin);
  });
});

describe("Dockerfile", () => {
  it("uses exact versions, as does Docker Compose", () => {
    const images = [...services.values()].flatMap(({ image }) => image ?? []);
    const bases = [...stages.values()].map(({ base }) => base).filter((base) => !stages.has(base));
    assert.equal(images.length, 2);
    assert.equal(bases.length, 2);
    for (const image of [...images, ...bases]) assert.ok(isExactTag(image), image);
  });

  it("uses the versions of Node and Envoy of npm start", () => {
    const { devDependencies } = JSON.parse(read("package.json"));
    assert.equal(stages.get("workspace")?.base, `node:${devDependencies.node}-bookworm-slim`);
    const [, envoy] = /envoyVersion = "(.*)"/.exec(read("tools/local/parts/envoy.ts")) ?? [];
    assert.equal(stages.get("edge")?.base, `envoyproxy/envoy:v${envoy}`);
  });

  it("starts services with the options of npm start", () => {
    const args = ["node", ...serviceNodeOptions, "src/main.ts"].map((arg) => `"${arg}"`);
    assert.ok(stages.get("service")?.text.includes(`CMD [${args.join(", ")}]`));
  });

  it("does not run as root and contains no secrets", () => {
    for (const { build } of services.values()) {
      if (!build) continue;
      const stage = stages.get(build.target);
      assert.match(stage?.text ?? "", /^USER (node|envoy)$/m, build.target);
    }
    // The URL of public keys is not secret, unlike URLs with passwords.
    assert.doesNotMatch(read("Dockerfile"), /PASSWORD|SECRET|TOKEN|(?<!AUTH_JWKS)_URL/);
    assert.match(read(".dockerignore"), /^\*$/m);
  });

  it("copies the manifest of every workspace in the lock file", () => {
    const { packages } = JSON.parse(read("package-lock.json"));
    const workspaces = Object.keys(packages).filter(
      (path) => path && !path.includes("node_modules"),
    );
    const copied = [
      ...(stages.get("workspace")?.text ?? "").matchAll(/^COPY (\S+)\/package\.json/gm),
    ];
    assert.deepEqual(copied.map(([, path]) => path).sort(), workspaces.sort());
    const patterns = read(".dockerignore").match(/^!.+$/gm) ?? [];
    for (const workspace of workspaces) {
      const file = `${workspace}/package.json`;
      const reaches = patterns.some((line) => `${file}/`.startsWith(`${line.slice(1)}/`));
      assert.ok(reaches, `.dockerignore excludes ${file}`);
    }
  });
});
