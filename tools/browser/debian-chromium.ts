import { globSync } from "node:fs";
import { join } from "node:path";
import { type DebianPackages, unpackDebianPackages } from "../local/fetch/debian-packages.ts";
import type { BrowserProgram } from "./browser-program.ts";

/**
 * Unpacks the headless Chromium of this Debian release into the cache; see `unpackDebianPackages`.
 */
export async function unpackDebianChromium(
  options: Pick<DebianPackages, "cacheDir" | "env" | "signal" | "log">,
): Promise<BrowserProgram> {
  const { root, libraryPath } = await unpackDebianPackages({
    ...options,
    name: "Chromium",
    packages: ["chromium-headless-shell"],
  });
  const [path] = globSync(join(root, "usr/lib/chromium/*headless*shell"));
  if (path === undefined) throw new Error("the package contains no headless Chromium");
  // One library of PulseAudio is in a folder that only the other libraries of PulseAudio search.
  const folders = [libraryPath, ...globSync(join(root, "usr/lib/*-linux-gnu*/pulseaudio"))];
  return { path, env: { LD_LIBRARY_PATH: folders.join(":") } };
}
