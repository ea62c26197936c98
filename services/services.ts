/** A service of this repository: what nothing else about it can be derived from. */
export type ListedService = {
  /**
   * Its folder here, and all of its names: the package `<name>.v1` of the contract, its database and
   * role, its user and queues on the broker, its clusters of the edge, and the beginning of its
   * environment variables. Lower-case letters and digits, and a letter first.
   */
  readonly name: string;
  /** Where `npm start` and compose have it listen, unless told otherwise. */
  readonly port: number;
};

/**
 * Every service, in the order in which they are provisioned and started. What can be derived from
 * this list is; files that cannot read it are held against it by tests/repository/services.unit.test.ts.
 */
export const services = [
  { name: "orders", port: 8002 },
  { name: "payments", port: 8001 },
] as const satisfies readonly ListedService[];

/** The name of a service of the list. */
export type ServiceName = (typeof services)[number]["name"];

export const serviceNames: readonly ServiceName[] = services.map(({ name }) => name);

/** Makes a record with something for each service of the list. */
export function perService<Of>(make: (name: ServiceName) => Of): Record<ServiceName, Of> {
  return Object.fromEntries(serviceNames.map((name) => [name, make(name)])) as Record<
    ServiceName,
    Of
  >;
}

/** The variable of the environment that holds something of a service, such as `ORDERS_PORT`. */
export function variableOf(
  service: string,
  what: "PORT" | "DB_PASSWORD" | "AMQP_PASSWORD",
): string {
  return `${service.toUpperCase()}_${what}`;
}
