import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAst } from "vite";

const root = fileURLToPath(new URL("../src", import.meta.url));

/** Names of variables and functions that are elements, or made of elements. */
const elements = /^((props\.)?children|dialog|cloneElement|Array\.from|[\s\S]*\.map)$/;

/** A node of the syntax tree, as far as this test looks at it. */
type Node = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly value?: unknown;
  readonly expression?: Node;
  readonly children?: readonly Node[];
  readonly [key: string]: unknown;
};

/**
 * Whether it is an element or nothing, and never a text. Children that are passed on are checked
 * where they are made.
 */
function isElement(node: Node, source: string): boolean {
  const [left, right, consequent, alternate, callee] = [
    node.left,
    node.right,
    node.consequent,
    node.alternate,
    node.callee,
  ] as (Node | undefined)[];
  switch (node.type) {
    case "JSXElement":
    case "JSXFragment":
    case "JSXEmptyExpression":
      return true;
    case "LogicalExpression":
      return left !== undefined && right !== undefined && isElement(right, source);
    case "ConditionalExpression":
      return [consequent, alternate].every(
        (one) => one && (isElement(one, source) || (one.type === "Literal" && one.value === null)),
      );
    case "CallExpression":
      return elements.test(source.slice(callee?.start, callee?.end));
    default:
      return elements.test(source.slice(node.start, node.end));
  }
}

/** The texts among the children of an element that has other children as well. */
function looseTexts(node: Node, source: string): readonly Node[] {
  const children = (node.children ?? []).filter(
    ({ type, value, expression }) =>
      !(type === "JSXText" && /^\s*$/.test(String(value))) &&
      expression?.type !== "JSXEmptyExpression",
  );
  if (children.length < 2) return [];
  return children.filter(
    ({ type, expression }) =>
      type === "JSXText" ||
      (type === "JSXExpressionContainer" && expression && !isElement(expression, source)),
  );
}

function* nodesIn(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const one of value) yield* nodesIn(one);
  if (typeof value !== "object" || value === null || !("type" in value)) return;
  yield value as Node;
  for (const inner of Object.values(value)) yield* nodesIn(inner);
}

describe("the markup of the page", () => {
  it("has each text in an element of its own, which translators and extensions may change", () => {
    const faults = globSync("**/*.tsx", { cwd: root }).flatMap((file) => {
      const source = readFileSync(`${root}/${file}`, "utf8");
      return [...nodesIn(parseAst(source, { lang: "tsx" }))]
        .filter(({ type }) => type === "JSXElement" || type === "JSXFragment")
        .flatMap((element) => looseTexts(element, source))
        .map(({ start, end }) => {
          const line = source.slice(0, start).split("\n").length;
          return `${file}:${line}: ${source.slice(start, end).trim()}`;
        });
    });
    assert.deepEqual(faults, []);
  });
});
