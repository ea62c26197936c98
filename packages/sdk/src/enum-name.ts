/**
 * Returns the name of an enum value: `enumName(OrderStatus, 2)` is `"PAID"`, the key of the value in
 * the enum object. Undefined for a value that is newer than this SDK.
 */
export function enumName<Values extends Readonly<Record<string, number>>>(
  values: Values,
  value: number,
): Extract<keyof Values, string> | undefined {
  return Object.keys(values).find((name) => values[name] === value) as
    | Extract<keyof Values, string>
    | undefined;
}
