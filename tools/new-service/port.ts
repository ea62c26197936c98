import { services } from "../../services/services.ts";
import { localPorts } from "../local/local-ports.ts";
import { whyPortIsTaken } from "../local/ports.ts";

const portMin = 1_024;
const portMax = 65_535;
/** How many ports to try when looking for a free one. */
const maxLooks = 200;
/** Further ports: of `envoy -c edge/envoy.yaml` and of `npm run dev -w web`. */
const further = new Map([
  [9_901, "the admin interface of the edge"],
  [5_174, "the development server of the page"],
]);

/**
 * Returns the port of a new service: `asked`, or else the first free port from the lowest port of
 * the services. Throws if `asked` is out of range, is a default port of the stack, or is in use at
 * the moment.
 */
export async function choosePort(asked: number | undefined): Promise<number> {
  if (asked !== undefined) {
    const why = await whyNotPort(asked);
    if (why !== undefined) throw new Error(`--port ${asked} cannot be used: ${why}`);
    return asked;
  }
  const first = Math.min(...services.map(({ port }) => port));
  for (let port = first; port < first + maxLooks; port += 1) {
    if ((await whyNotPort(port)) === undefined) return port;
  }
  throw new Error(`no port from ${first} to ${first + maxLooks - 1} is free: set one with --port`);
}

async function whyNotPort(port: number): Promise<string | undefined> {
  if (!Number.isInteger(port) || port < portMin || port > portMax) {
    return `choose a whole number from ${portMin} to ${portMax}`;
  }
  const owner = Object.values(localPorts).find(({ fallback }) => fallback === port);
  const what = owner?.what ?? further.get(port);
  if (what !== undefined) return `it is the port of ${what}; choose another one`;
  const taken = await whyPortIsTaken(port);
  return taken && `${taken}; free it or choose another one`;
}
