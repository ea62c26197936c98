import type { DescMethod, DescService } from "@bufbuild/protobuf";

/**
 * Returns a name for each service that no other one has: its own, or with its package where two of
 * `services` share that.
 */
export function nameServices(services: readonly DescService[]): ReadonlyMap<DescService, string> {
  const counts = new Map<string, number>();
  for (const { name } of services) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(
    services.map((service) => [
      service,
      counts.get(service.name) === 1 ? service.name : service.typeName,
    ]),
  );
}

/**
 * Returns the id of a method's binding: `OrdersService_CreateOrder`, and `_2` and so on behind it
 * for additional bindings. `serviceName` is of {@link nameServices}, so no two methods share an id.
 */
export function nameOperation(serviceName: string, method: DescMethod, binding: number): string {
  const id = `${serviceName.replaceAll(".", "_")}_${method.name}`;
  return binding === 0 ? id : `${id}_${binding + 1}`;
}

/**
 * Returns a parameter name for each value of a path: the JSON name of its field, or the literal in
 * front of it with `Id` where its variable holds literals (as Google writes flat paths:
 * `{name=users/*}` becomes `users/{usersId}`). A name that is taken gets a number.
 */
export function nameValues(
  values: readonly {
    readonly jsonName: string;
    readonly pattern: string;
    readonly after: string;
  }[],
): readonly string[] {
  const taken = new Set<string>();
  return values.map(({ jsonName, pattern, after }) => {
    const plain = jsonName === "" ? "wildcard" : jsonName;
    const isWhole = pattern === "*" || pattern === "**" || !/^[A-Za-z]\w*$/.test(after);
    const wanted = isWhole ? plain : `${after}Id`;
    let name = wanted;
    for (let number = 2; taken.has(name); number++) name = `${wanted}${number}`;
    taken.add(name);
    return name;
  });
}
