import { services } from "../../services/services.ts";
import { localPorts } from "../local/config.ts";
import { whyPortIsTaken } from "../local/ports.ts";

const portMin = 1_024;
const portMax = 65_535;
/** How many ports are looked at for one that is free. */
const maxLooks = 200;
/** Of `envoy -c edge/envoy.yaml` for its administrator, and of `npm run dev -w web`. */
const further = new Map([
  [9_901, "the edge's administration"],
  [5_174, "the page in development"],
]);

/**
 * The port of a new service: `asked`, or the next after those of the services that nothing else has.
 * Throws, with what to do, for one that is no port, that is somebody's in the stack, or on which
 * something listens now.
 */
export async function choosePort(asked: number | undefined): Promise<number> {
  if (asked !== undefined) {
    const why = (await whyNotPort(asked)) ?? undefined;
    if (why !== undefined) throw new Error(`--port ${asked} cannot be used: ${why}`);
    return asked;
  }
  const first = Math.min(...services.map(({ port }) => port));
  for (let port = first; port < first + maxLooks; port += 1) {
    if ((await whyNotPort(port)) === undefined) return port;
  }
  throw new Error(`no port from ${first} to ${first + maxLooks - 1} is free: choose one by --port`);
}

async function whyNotPort(port: number): Promise<string | undefined> {
  if (!Number.isInteger(port) || port < portMin || port > portMax) {
    return `a port is a whole number from ${portMin} to ${portMax}`;
  }
  const owner = Object.values(localPorts).find(({ fallback }) => fallback === port);
  const what = owner?.what ?? further.get(port);
  if (what !== undefined) return `it is the port of ${what}; choose another`;
  const taken = await whyPortIsTaken(port);
  return taken && `${taken}; stop that, or choose another`;
}
