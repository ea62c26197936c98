import { useSyncExternalStore } from "react";
import { useClient } from "./client.ts";
import type { Away } from "./reach.ts";

/** Returns what does not answer, as far as calls have found out. */
export function useAway(): ReadonlySet<Away> {
  const { reach } = useClient();
  return useSyncExternalStore(reach.listen, () => reach.away);
}
