import { type ComponentType, lazy } from "react";
import { keptByTab } from "./kept.ts";

/**
 * Loads a part of the page. If it is missing, because the page was updated on the server meanwhile,
 * the whole page is loaded anew, once for each part; if that does not help, it rejects.
 */
export async function loadPart<Part>(load: () => Promise<Part>): Promise<Part> {
  // Its text names the file and its version.
  const key = `settle.reloaded ${String(load)}`;
  try {
    const part = await load();
    keptByTab.remove(key);
    return part;
  } catch (error) {
    if (!mayReload(key)) throw error;
    location.reload();
    return new Promise<never>(() => {});
  }
}

/**
 * Makes a component of a part that is loaded when it is first shown; see {@link loadPart}. If it
 * cannot be loaded, the component throws, and tries again when it is shown again.
 */
export function late<Props extends object>(
  load: () => Promise<{ readonly default: ComponentType<Props> }>,
): ComponentType<Props> {
  const loadOrForget = async () => {
    try {
      return await loadPart(load);
    } catch (error) {
      Part = lazy(loadOrForget);
      throw error;
    }
  };
  let Part = lazy(loadOrForget);
  return function Late(props: Props) {
    return <Part {...props} />;
  };
}

/** Whether the page may be loaded anew; not if that has not helped before. */
function mayReload(key: string): boolean {
  if (keptByTab.get(key) !== undefined) return false;
  // A tab that cannot remember it can still tell that it has just been reloaded.
  return keptByTab.set(key, "yes") || !wasReloaded();
}

function wasReloaded(): boolean {
  const [entry] = performance.getEntriesByType("navigation");
  return entry instanceof PerformanceNavigationTiming && entry.type === "reload";
}
