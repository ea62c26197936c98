import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serviceNames } from "../../../services/services.ts";
import type { LocalConfig } from "../config.ts";
import { unpackDebianPackages } from "../fetch/debian-packages.ts";
import type { PortName } from "../local-ports.ts";
import type { Child, Nursery } from "../process/nursery.ts";
import { isAnswering, PartFailure, waitUntilReady } from "../process/ready.ts";
import { findProgram } from "../process/run-tool.ts";
import type { Part } from "../process/supervise.ts";

const host = "127.0.0.1";
const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;
const retention = "7d";
/** With the parts of its page, listed so that those that are installed are included. */
const packages = [
  "prometheus",
  "fonts-glyphicons-halflings",
  ..."bootstrap4 d3 eonasdan-bootstrap-datetimepicker jquery jquery-hotkeys moment moment-timezone"
    .split(" ")
    .map((name) => `libjs-${name}`),
  ..."mustache popper.js rickshaw".split(" ").map((name) => `libjs-${name}`),
];

/** The programs of an installation of Prometheus. */
export type Prometheus = {
  readonly server: string;
  readonly promtool: string;
  /** Options that the server needs wherever it is unpacked. */
  readonly options: readonly string[];
};

/**
 * Returns the Prometheus in PATH, or else that of the packages of this Debian or Ubuntu, unpacked
 * once into the cache. Throws `PartFailure` with installation instructions if there is neither.
 */
export async function findPrometheus(options: {
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
  readonly log: (line: string) => void;
}): Promise<Prometheus> {
  const [server, promtool] = ["prometheus", "promtool"].map((program) =>
    findProgram(program, options.env),
  );
  if (server !== undefined && promtool !== undefined) return { server, promtool, options: [] };
  try {
    const { root } = await unpackDebianPackages({ ...options, name: "Prometheus", packages });
    return {
      server: join(root, "usr/bin/prometheus"),
      promtool: join(root, "usr/bin/promtool"),
      options: [`--web.local-assets=${join(root, "usr/share/prometheus/web")}`],
    };
  } catch (error) {
    throw new PartFailure(
      `Prometheus was not found and could not be unpacked.\n  ${error instanceof Error ? error.message : error}\n  ` +
        "Install it so that prometheus and promtool are in PATH, or start without --observe.",
    );
  }
}

/** Where a program serves its metrics on this machine. */
export type MetricsJob = {
  readonly job: string;
  readonly port: number;
  /** Default: `/metrics`. */
  readonly path?: string;
};

/**
 * Starts Prometheus on loopback with these alert rules. It reads the metrics of each job every
 * `everyS` seconds, 5 by default, and keeps them for a week. Resolves when it answers.
 */
export async function startPrometheus(
  prometheus: Prometheus,
  options: {
    readonly nursery: Nursery;
    /** The folder of its data and configuration; created if missing. */
    readonly folder: string;
    readonly port: number;
    /** The file of the rules. */
    readonly rules: string;
    readonly jobs: readonly MetricsJob[];
    readonly everyS?: number;
  },
): Promise<AsyncDisposable & { readonly child: Child }> {
  const { nursery, folder, port, rules, jobs, everyS = 5 } = options;
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "prometheus.yml");
  const configuration = {
    global: { scrape_interval: `${everyS}s`, evaluation_interval: `${everyS}s` },
    rule_files: [rules],
    scrape_configs: jobs.map(({ job, port: own, path = "/metrics" }) => ({
      job_name: job,
      metrics_path: path,
      static_configs: [{ targets: [`${host}:${own}`] }],
    })),
  };
  // JSON is YAML.
  writeFileSync(config, `${JSON.stringify(configuration, undefined, 2)}\n`);
  const address = `${host}:${port}`;
  const child = await nursery.spawn({
    name: "prometheus",
    command: prometheus.server,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--storage.tsdb.retention.time=${retention}`,
      `--web.listen-address=${address}`,
      ...prometheus.options,
    ],
    env: {},
    stopTimeoutMs,
  });
  await waitUntilReady({
    what: "Prometheus",
    child,
    isReady: () => isAnswering(`http://${address}/-/ready`),
    timeoutMs: startTimeoutMs,
  });
  return { child, [Symbol.asyncDispose]: () => child.stop() };
}

/** Prometheus as a part of `npm start -- --observe`. */
export function prometheusPart(options: {
  readonly config: LocalConfig;
  readonly root: string;
  readonly cacheDir: string;
  readonly nursery: Nursery;
  readonly signal: AbortSignal;
}): Part {
  const { config, nursery, root, cacheDir, signal } = options;
  const { ports, dataDir, env } = config;
  return {
    name: "Prometheus",
    async start(log) {
      const found = await findPrometheus({ env, cacheDir, signal, log });
      const prometheus = await startPrometheus(found, {
        nursery,
        folder: join(dataDir, "prometheus"),
        port: ports.prometheus,
        rules: join(root, "deploy/observability/alerts.yml"),
        jobs: jobsOf(ports),
      });
      const address = `http://localhost:${ports.prometheus}`;
      return { ...prometheus, exited: prometheus.child.exited, address };
    },
  };
}

function jobsOf(ports: Readonly<Record<PortName, number>>): readonly MetricsJob[] {
  return [
    ...serviceNames.map((name) => ({ job: `settle-${name}`, port: ports[`${name}Metrics`] })),
    { job: "settle-page", port: ports.pageMetrics },
    { job: "settle-provisioner", port: ports.provisionerMetrics },
    { job: "settle-edge", port: ports.edgeMetrics, path: "/stats/prometheus" },
    { job: "settle-rabbitmq", port: ports.rabbitmqMetrics },
  ];
}
