import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderEdge } from "../../../edge/render.ts";
import { perService, type ServiceName } from "../../../services/services.ts";
import type { TokenIssuer } from "../../../tools/local/config.ts";
import { startEnvoy } from "../../../tools/local/parts/envoy.ts";
import { findFreePorts } from "../../../tools/local/ports.ts";
import type { Nursery } from "../../../tools/local/process/nursery.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const host = "127.0.0.1";

/** The edge of a system under test. It runs until it is stopped or its nursery ends. */
export type Edge = {
  readonly url: string;
  /** Returns the active requests of a cluster, such as `orders-watch-http1`, to its instances. */
  countUnderWay(cluster: string): Promise<number>;
  /** Stops it; its address then refuses connections. */
  stop(): Promise<void>;
  /** Starts it again at the same address. */
  start(): Promise<void>;
};

/** Starts an Envoy in front of these instances. */
export async function startEdge(options: {
  readonly nursery: Nursery;
  /** The folder for its configuration. */
  readonly folder: string;
  /** The ports of the instances of each service. */
  readonly ports: Readonly<Record<ServiceName, readonly number[]>>;
  readonly auth: TokenIssuer;
  /** The origins that may call it; by default that of `npm start`. */
  readonly corsOrigins: readonly string[] | undefined;
}): Promise<Edge> {
  const { nursery, folder, ports, auth, corsOrigins } = options;
  const binary = process.env.ENVOY_BIN;
  if (!binary) throw new Error("ENVOY_BIN is not set: run the tests with npm test");
  const config = join(folder, "envoy.yaml");
  const [port = 0, adminPort = 0] = await findFreePorts(2);
  await writeFile(
    config,
    renderEdge({
      listenPort: port,
      adminPort,
      metricsPort: 0,
      services: perService((name) => ports[name].map((own) => ({ host, port: own }))),
      auth,
      descriptorsPath: join(root, "gen/envoy/descriptors.binpb"),
      restGuardPath: join(root, "gen/envoy/rest-guard.lua"),
      connectionCapPath: join(root, "gen/envoy/connection-cap.wasm"),
      ...(corsOrigins && { corsOrigins }),
    }),
  );
  const start = () => startEnvoy({ nursery, binary, config, port });
  let running = await start();
  return {
    url: `http://${host}:${port}`,
    async countUnderWay(cluster) {
      const stat = `cluster.${cluster}.upstream_rq_active`;
      const answer = await fetch(`http://${host}:${adminPort}/stats?filter=^${stat}$`);
      const [, count] = /: (\d+)$/m.exec(await answer.text()) ?? [];
      if (count === undefined) throw new Error(`the edge has no statistic ${stat}`);
      return Number(count);
    },
    stop: () => running.child.stop(),
    async start() {
      running = await start();
    },
  };
}
