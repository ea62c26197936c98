import { globSync } from "node:fs";
import { join } from "node:path";
import { type DebianPackages, unpackDebianPackages } from "../local/fetch/debian-packages.ts";
import type { BrowserProgram } from "./browser-program.ts";

/**
 * Unpacks the headless Chromium of the Debian we run on into a folder of the cache; see
 * `unpackDebianPackages`.
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
  if (path === undefined) throw new Error("the package holds no headless Chromium");
  // A library of PulseAudio lies in a folder of its own, which only PulseAudio's others know.
  const folders = [libraryPath, ...globSync(join(root, "usr/lib/*-linux-gnu*/pulseaudio"))];
  return { path, env: { LD_LIBRARY_PATH: folders.join(":") } };
}
