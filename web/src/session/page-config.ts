import type { PageConfig } from "../../server/config.ts";

/** Asks the server of this page where the edge is and how people sign in. Throws if it cannot say. */
export async function readPageConfig(): Promise<PageConfig> {
  // As the preload in index.html has it, or it would be asked for twice.
  const response = await fetch("/config.json", { credentials: "same-origin" });
  if (!response.ok) throw new Error(`the configuration was answered with ${response.status}`);
  return (await response.json()) as PageConfig;
}
