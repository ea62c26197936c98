import type { ListedService } from "../../services/services.ts";
import { findFaults } from "./places/find-faults.ts";
import type { Staging } from "./staging.ts";

/**
 * Regenerates the generated files of a copy in which the list has these services. Throws if other
 * files of the copy do not match the list; `change` says what was changed, such as "with shipping".
 */
export async function regenerate(
  staging: Staging,
  services: readonly ListedService[],
  change: string,
  log: (line: string) => void,
): Promise<void> {
  log("Generating code and documents from the contract ...");
  await staging.generate();
  const faults = findFaults(staging.folder, services);
  if (faults.length === 0) return;
  throw new Error(
    `nothing was changed: ${change}, these files would not match services/services.ts; ` +
      `correct them first:\n${faults.join("\n")}`,
  );
}
