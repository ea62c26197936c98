import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a configuration of fontconfig by which a browser has DejaVu, from npm, and nothing else:
 * the same picture on every machine, Cyrillic and the sign of the rouble among its letters. Returns the
 * file, for `FONTCONFIG_FILE`.
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
  <dir>${join(root, "node_modules/dejavu-fonts-ttf/ttf")}</dir>
  <cachedir>${join(folder, "fonts")}</cachedir>
  <alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
  <alias><family>ui-monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`,
  );
  // Another browser may be reading it.
  renameSync(own, file);
  return file;
}
