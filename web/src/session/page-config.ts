import type { PageConfig } from "../../server/config.ts";

/** Loads the configuration from the server of this page. Throws if that fails. */
export async function readPageConfig(): Promise<PageConfig> {
  // The same mode as the preload in index.html, or it would be requested twice.
  const response = await fetch("/config.json", { credentials: "same-origin" });
  if (!response.ok)
    throw new Error(`the request for /config.json failed with status ${response.status}`);
  return (await response.json()) as PageConfig;
}
