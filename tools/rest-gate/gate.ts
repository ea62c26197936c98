import { type Document, listAt, type Node, nodeAt, readDocument } from "./document.ts";
import { compareSchemas } from "./schemas.ts";

/** A breaking change: clients of the released document may rely on what it removes or narrows. */
export type Breach = {
  /** `POST /gateway/orders` */
  readonly operation: string;
  /**
   * `request amount`, `answer 200 orders.*.id`, `query pageSize`; empty for the whole operation.
   */
  readonly place: string;
  readonly rule: string;
  readonly fix: string;
};

const keepOperation = "keep it, and use another path for a new version";

/**
 * Compares an OpenAPI document of our generator with a released one, both as text, and returns the
 * breaking changes: a removed operation, parameter, field, enum value, response or error reason; an
 * input that became required or narrower; a response with a weaker type or format; a permission
 * that became necessary. Additions are not breaking.
 */
export function findBreaches(released: string, present: string): readonly Breach[] {
  const [before, now] = [readDocument(released), readDocument(present)];
  return [...before.operations].flatMap(([operation, a]) => {
    const b = now.operations.get(operation);
    if (!b)
      return [{ operation, place: "", rule: "the operation was removed", fix: keepOperation }];
    return [
      ...compareParameters({ before, now }, operation, a, b),
      ...compareBodies({ before, now }, operation, a, b),
      ...compareAnswers({ before, now }, operation, a, b),
      ...compareAccess(operation, a, b),
    ];
  });
}

type Documents = { readonly before: Document; readonly now: Document };

function compareParameters(
  { before, now }: Documents,
  operation: string,
  a: Node,
  b: Node,
): readonly Breach[] {
  const read = (document: Document, node: Node) => {
    const all = listAt(node, "parameters").map((parameter) => document.resolve(parameter));
    // Names of path parameters do not appear in a request.
    let inPath = 0;
    return new Map(
      all.map((parameter) => {
        const name = parameter.in === "path" ? `${inPath++}` : parameter.name;
        return [`${parameter.in} ${name}`, parameter];
      }),
    );
  };
  const [old, present] = [read(before, a), read(now, b)];
  const found: Breach[] = [];
  for (const [place, parameter] of old) {
    const same = present.get(place);
    if (!same) {
      found.push({ operation, place, rule: "the parameter was removed", fix: "keep it" });
      continue;
    }
    const places = [
      { document: before, schema: parameter.schema },
      { document: now, schema: same.schema },
    ] as const;
    for (const { field, ...breach } of compareSchemas(...places, "request")) {
      found.push({ operation, place: `${place} ${field}`.trim(), ...breach });
    }
  }
  for (const [place, parameter] of present) {
    if (parameter.required !== true || old.get(place)?.required === true) continue;
    found.push({ operation, place, rule: "it is required now", fix: "make it optional" });
  }
  return found;
}

function compareBodies(
  { before, now }: Documents,
  operation: string,
  a: Node,
  b: Node,
): readonly Breach[] {
  const [old, present] = [before.resolve(a.requestBody), now.resolve(b.requestBody)];
  const found = compareContents({ before, now }, old, present, "request").map((breach) => ({
    operation,
    ...breach,
    place: `request ${breach.place}`.trim(),
  }));
  if (present.required !== true || old.required === true) return found;
  const rule = "a body is required now";
  return [...found, { operation, place: "request", rule, fix: "make it optional" }];
}

function compareAnswers(
  { before, now }: Documents,
  operation: string,
  a: Node,
  b: Node,
): readonly Breach[] {
  const present = nodeAt(b, "responses");
  return Object.entries(nodeAt(a, "responses")).flatMap(([status, response]): readonly Breach[] => {
    const place = `answer ${status}`;
    if (!(status in present)) {
      return [{ operation, place, rule: "the status was removed", fix: "keep its reasons" }];
    }
    const [old, same] = [before.resolve(response), now.resolve(present[status])];
    const headers = nodeAt(same, "headers");
    const reasons = listAt(same, "x-error-reasons");
    return [
      ...listAt<string>(old, "x-error-reasons")
        .filter((reason) => !reasons.includes(reason))
        .map((reason) => {
          return { operation, place, rule: `the reason ${reason} was removed`, fix: "keep it" };
        }),
      ...Object.keys(nodeAt(old, "headers"))
        .filter((name) => !(name in headers))
        .map((name) => {
          return { operation, place, rule: `the header ${name} was removed`, fix: "keep it" };
        }),
      ...compareContents({ before, now }, old, same, "answer").map((breach) => ({
        operation,
        ...breach,
        place: `${place} ${breach.place}`.trim(),
      })),
    ];
  });
}

function compareContents(
  { before, now }: Documents,
  a: Node,
  b: Node,
  direction: "request" | "answer",
): readonly Omit<Breach, "operation">[] {
  const present = nodeAt(b, "content");
  return Object.entries(nodeAt(a, "content")).flatMap(([type, content]) => {
    if (!(type in present)) return [{ place: "", rule: `${type} was removed`, fix: "keep it" }];
    const places = [
      { document: before, schema: (content as Node).schema },
      { document: now, schema: nodeAt(present, type).schema },
    ] as const;
    return compareSchemas(...places, direction).map(({ field, ...breach }) => {
      return { place: field, ...breach };
    });
  });
}

/** Each alternative that was sufficient must still be sufficient. */
function compareAccess(operation: string, a: Node, b: Node): readonly Breach[] {
  const open: Rights = {};
  const read = (node: Node) => {
    const alternatives = listAt<Rights>(node, "security");
    return alternatives.length === 0 ? [open] : alternatives;
  };
  const present = read(b);
  if (read(a).every((had) => present.some((needed) => isEnough(had, needed)))) return [];
  // `bearer with admin` includes `bearer`: only the latter is needed.
  const least = present.filter(
    (needed) => !present.some((other) => isEnough(needed, other) && !isEnough(other, needed)),
  );
  const rule = `more is needed to call it: ${least.map(nameRights).join(" or ")}`;
  return [{ operation, place: "security", rule, fix: "require no more" }];
}

/** The required scopes, by security scheme. */
type Rights = Readonly<Record<string, readonly string[]>>;

function isEnough(had: Rights, needed: Rights): boolean {
  return Object.entries(needed).every(
    ([scheme, scopes]) => scheme in had && scopes.every((scope) => had[scheme]?.includes(scope)),
  );
}

/** `bearer`, `bearer with admin and deposit` */
function nameRights(rights: Rights): string {
  return Object.entries(rights)
    .map(([scheme, scopes]) => [scheme, scopes.join(" and ")].filter(Boolean).join(" with "))
    .join(" and ");
}
