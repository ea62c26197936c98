import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Roboto, which the page uses, and DejaVu for everything else. */
const folders = [
  ...["400Regular", "500Medium", "600SemiBold", "700Bold"].map(
    (weight) => `@expo-google-fonts/roboto/${weight}`,
  ),
  "dejavu-fonts-ttf/ttf",
];

/**
 * Writes a fontconfig configuration with only these fonts from npm, so that pictures are the same
 * on every machine, including Cyrillic and the rouble sign. Returns the file, for
 * `FONTCONFIG_FILE`.
 */
export function writeFontsConfig(root: string, cacheDir: string): string {
  const folder = join(cacheDir, "browser");
  const file = join(folder, "fonts.conf");
  const own = `${file}.${randomBytes(4).toString("hex")}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    own,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  ${folders.map((name) => `<dir>${join(root, "node_modules", name)}</dir>`).join("\n  ")}
  <cachedir>${join(folder, "fonts")}</cachedir>
  <alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <match><edit name="family" mode="append_last"><string>Roboto</string></edit></match>
</fontconfig>
`,
  );
  // Another browser may be reading it.
  renameSync(own, file);
  return file;
}
