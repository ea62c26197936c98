import { corrections } from "./corrections.ts";
import type { Facts, FactsByOperation } from "./facts.ts";
import { type Contract, findStreamsWithPaths, fullName } from "./ours.ts";
import { type Known, known } from "./reasons.ts";

/** A difference between the facts of two documents about an operation. */
export type Difference = {
  readonly operation: string;
  /** The known reason; undefined for an unexplained difference: one of the two is wrong. */
  readonly known: Known | undefined;
  readonly what: string;
};

/** Compares our facts with theirs by operation, and explains differences from the protos. */
export function compareFacts(
  ours: FactsByOperation,
  theirs: FactsByOperation,
  contract: Contract,
): readonly Difference[] {
  const renamed = new Map([...theirs].map(([key, facts]) => [nameWildcards(key), facts]));
  const all = [...new Set([...ours.keys(), ...renamed.keys()])].sort();
  return all.flatMap((operation) => {
    const [a, b] = [ours.get(operation), renamed.get(operation)];
    if (a && b) return compareOperation(operation, a, b, contract);
    const what = a ? "only ours has it" : "only theirs has it";
    return [{ operation, known: explainAbsence(operation, a, b, contract), what }];
  });
}

function compareOperation(
  operation: string,
  ours: Facts,
  theirs: Facts,
  contract: Contract,
): readonly Difference[] {
  const [binding] = contract.bindings.get(operation) ?? [];
  const differences: Difference[] = [];
  let corrected = theirs;
  for (const [name, correct] of binding ? Object.entries(corrections) : []) {
    if (!binding) break;
    const before = corrected;
    corrected = correct(before, binding, contract.context);
    const what = describe(corrected, before);
    if (what === "") continue;
    differences.push({ operation, known: known[name as keyof typeof corrections], what });
  }
  const left = describe(ours, corrected);
  if (left !== "") differences.push({ operation, known: undefined, what: left });
  return differences;
}

function explainAbsence(
  operation: string,
  ours: Facts | undefined,
  theirs: Facts | undefined,
  contract: Contract,
): Known | undefined {
  const here = contract.bindings.get(operation) ?? [];
  if (ours) {
    const left = findStreamsWithPaths(contract);
    const isLeft = here.every(({ method }) => left.has(fullName(method)));
    return isLeft ? known.streamWithPath : undefined;
  }
  if (here.length > 1) return known.rivals;
  const [name] = operation.split(" ");
  const fault = contract.faults.get(`${name} ${theirs?.method}`) ?? "";
  return fault.includes("has a variable after `**`") ? known.behindDoubleWildcard : undefined;
}

/** The other generator leaves a wildcard in the path unchanged. */
function nameWildcards(operation: string): string {
  return operation.replaceAll(/(?<=\/)\*\*?(?=\/|:|$)/g, "{}");
}

/** Recursive messages are followed deeply; the rest beyond this adds nothing. */
const maxShownCharacters = 300;

function describe(ours: Facts, theirs: Facts): string {
  return (Object.keys(ours) as readonly (keyof Facts)[])
    .filter((fact) => JSON.stringify(ours[fact]) !== JSON.stringify(theirs[fact]))
    .map((fact) => `${fact}: ${write(ours[fact])}; theirs: ${write(theirs[fact])}`)
    .join("; ");
}

function write(value: unknown): string {
  const text = Array.isArray(value) ? value.join(" ") : String(value);
  return text.length > maxShownCharacters ? `${text.slice(0, maxShownCharacters)} ...` : text;
}
