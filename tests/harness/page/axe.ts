import axe, { type AxeResults, type RunOptions } from "axe-core";
import type { Page } from "playwright-core";

const standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Returns the violations that axe finds, one per line, by all rules or by the given ones. */
export async function faultsOf(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  const isThere = await page.evaluate(() => "axe" in globalThis);
  if (!isThere) await page.evaluate(axe.source);
  const runOnly = rules
    ? { type: "rule", values: [...rules] }
    : { type: "tag", values: [...standards] };
  const { violations } = await page.evaluate(
    (options) => (globalThis as unknown as WithAxe).axe.run(options),
    { runOnly, resultTypes: ["violations"] } as RunOptions,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

/** Browser globals, which are unknown to these tests in Node. */
type WithAxe = { readonly axe: { run(options: RunOptions): Promise<AxeResults> } };
