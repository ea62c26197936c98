import type { DescMethod, DescService } from "@bufbuild/protobuf";

/**
 * Returns a unique name for each service: its simple name, or its full name if several of
 * `services` have the same simple name.
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
 * Returns the operation id of a binding: `OrdersService_CreateOrder`, with the suffix `_2` and so
 * on for additional bindings. Ids are unique if `serviceName` is from {@link nameServices}.
 */
export function nameOperation(serviceName: string, method: DescMethod, binding: number): string {
  const id = `${serviceName.replaceAll(".", "_")}_${method.name}`;
  return binding === 0 ? id : `${id}_${binding + 1}`;
}

/**
 * Returns a parameter name for each value of a path. This is the JSON name of its field, or, if its
 * variable contains literals, the preceding literal with `Id`, as in Google's flat paths:
 * `{name=users/*}` becomes `users/{usersId}`. Duplicate names get a number.
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
