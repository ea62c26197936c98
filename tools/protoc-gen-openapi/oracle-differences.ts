import type { Facts } from "./oracle-facts.ts";

/** Why two documents may differ. There is no fourth reason. */
const reasons = {
  rules: "ours reads protovalidate's rules and proto2's required, theirs does not",
  envoy: "ours says what Envoy does with a request, theirs what the message holds",
  direction: "ours tells what is sent from what is received, and one of a oneof from all of it",
} as const;

/** A difference between two documents' facts about one operation. */
export type Difference = {
  readonly operation: string;
  readonly what: string;
  /** Undefined for one that nobody has explained: one of the two is wrong. */
  readonly reason: (typeof reasons)[keyof typeof reasons] | undefined;
};

type Fact = keyof Facts | "operation";

/** The differences that have been looked at, by operation. */
const known: Readonly<Record<string, readonly (readonly [Fact, keyof typeof reasons])[]>> = {
  "POST /gateway/orders": [["body", "rules"]],
  "POST /gateway/payments/accounts": [["body", "rules"]],
  "POST /gateway/payments/accounts/{}:deposit": [["body", "rules"]],
  "GET /v1/list": [["query", "rules"]],
  "POST /v1/check/{}": [["body", "rules"]],
  "POST /v1/old": [
    ["body", "rules"],
    ["answer", "rules"],
  ],
  // Members of a oneof that are REQUIRED, input only fields in answers and the other way round.
  "POST /v1/things": [
    ["body", "direction"],
    ["answer", "direction"],
  ],
  // The same, and the path says the id.
  "PATCH /v1/things/{}": [
    ["body", "direction"],
    ["answer", "direction"],
  ],
  // The path says a field of the body.
  "PATCH /v1/items/{}": [["body", "envoy"]],
  // google.api.HttpBody is a body of any type.
  "POST /v1/convert": [
    ["body", "envoy"],
    ["answer", "envoy"],
  ],
  // A wildcard is no text.
  "HEAD /v1/{}/nested/{}/{}": [["operation", "envoy"]],
  "HEAD /v1/*/nested/{}/{}": [["operation", "envoy"]],
  // Output only fields and messages inside themselves are no parameters.
  "GET /v1/shelves/{}/books": [["query", "direction"]],
  // A client's stream is an array.
  "POST /v1/upload": [["body", "envoy"]],
};

/** Compares ours with theirs, operation by operation. */
export function compareFacts(
  ours: ReadonlyMap<string, Facts>,
  theirs: ReadonlyMap<string, Facts>,
): readonly Difference[] {
  const all = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return all.flatMap((operation) => {
    const a = ours.get(operation);
    const b = theirs.get(operation);
    if (!a || !b) {
      const what = a ? "only ours has it" : "only theirs has it";
      return [{ operation, what, reason: findReason(operation, "operation") }];
    }
    return (Object.keys(a) as readonly (keyof Facts)[]).flatMap((fact) => {
      if (JSON.stringify(a[fact]) === JSON.stringify(b[fact])) return [];
      const what = `${fact}: ${write(a[fact])}; theirs: ${write(b[fact])}`;
      return [{ operation, what, reason: findReason(operation, fact) }];
    });
  });
}

function findReason(operation: string, fact: Fact): Difference["reason"] {
  const entry = known[operation]?.find(([looked]) => looked === fact);
  return entry && reasons[entry[1]];
}

/** The other generator follows a message inside itself for long: what is beyond this is no news. */
const maxShownCharacters = 300;

function write(value: unknown): string {
  const text = Array.isArray(value) ? value.join(" ") : String(value);
  return text.length > maxShownCharacters ? `${text.slice(0, maxShownCharacters)} ...` : text;
}
