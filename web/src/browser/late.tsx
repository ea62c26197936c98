import { type ComponentType, lazy } from "react";
import { keptByTab } from "./kept.ts";

const reloadedKey = "settle.reloaded";

/**
 * Makes a component of a part that is loaded when it is first shown. If the part is missing, because
 * the page was updated on the server meanwhile, the whole page is loaded anew, once; if that does not
 * help, the component throws. It tries again when it is shown again.
 */
export function late<Props extends object>(
  load: () => Promise<{ readonly default: ComponentType<Props> }>,
): ComponentType<Props> {
  const loadOrReload = async () => {
    try {
      const part = await load();
      keptByTab.remove(reloadedKey);
      return part;
    } catch (error) {
      Part = lazy(loadOrReload);
      if (!mayReload()) throw error;
      location.reload();
      return new Promise<never>(() => {});
    }
  };
  let Part = lazy(loadOrReload);
  return function Late(props: Props) {
    return <Part {...props} />;
  };
}

/** Whether the page may be loaded anew; not if that has not helped before. */
function mayReload(): boolean {
  if (keptByTab.get(reloadedKey) !== undefined) return false;
  // A tab that cannot remember it can still tell that it has just been reloaded.
  return keptByTab.set(reloadedKey, "yes") || !wasReloaded();
}

function wasReloaded(): boolean {
  const [entry] = performance.getEntriesByType("navigation");
  return entry instanceof PerformanceNavigationTiming && entry.type === "reload";
}
