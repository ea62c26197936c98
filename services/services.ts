/** A service of this repository: the facts that everything else is derived from. */
export type ListedService = {
  /**
   * Names its folder, its package `<name>.v1` in the contract, its database and role, its user and
   * queues on the broker and its clusters in the edge, and prefixes its environment variables. Has
   * only lower-case letters and digits, and starts with a letter.
   */
  readonly name: string;
  /** The port in `npm start` and compose, unless configured otherwise. */
  readonly port: number;
};

/**
 * All services, in the order in which they are provisioned and started. Code reads this list where
 * it can; tests/repository/services.unit.test.ts compares it with the files that cannot read it.
 */
export const services = [
  { name: "orders", port: 8002 },
  { name: "payments", port: 8001 },
] as const satisfies readonly ListedService[];

/**
 * The options of Node for every service; the Dockerfile has them, too. By default, V8
 * - lets the young generation grow to several times 32 MB, and the old one to several times what the
 *   service uses;
 * - allocates objects in the old generation if others from the same place in the code have lived long.
 *   Under load these are the objects of calls, which then keep whatever they refer to from being
 *   collected early.
 */
export const serviceNodeOptions: readonly string[] = [
  "--no-allocation-site-pretenuring",
  "--max-semi-space-size=16",
  "--heap-growing-percent=50",
];

/** The name of a listed service. */
export type ServiceName = (typeof services)[number]["name"];

export const serviceNames: readonly ServiceName[] = services.map(({ name }) => name);

/** Creates a record with one value per service. */
export function perService<Of>(make: (name: ServiceName) => Of): Record<ServiceName, Of> {
  return Object.fromEntries(serviceNames.map((name) => [name, make(name)])) as Record<
    ServiceName,
    Of
  >;
}

/** Returns the name of a service's environment variable, such as `ORDERS_PORT`. */
export function variableOf(
  service: string,
  what: "PORT" | "METRICS_PORT" | "DB_PASSWORD" | "AMQP_PASSWORD",
): string {
  return `${service.toUpperCase()}_${what}`;
}
