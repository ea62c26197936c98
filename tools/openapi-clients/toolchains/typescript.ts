import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command, Job, Tool } from "../client.ts";

export const typescript: Tool = { name: "TypeScript", version: "5.7.3", license: "Apache-2.0" };

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** Programs of this package come first: it has its own TypeScript. */
const programFolders = [join(root, "tools/openapi-clients"), root];

/** Returns the path of a program of an npm package in package-lock.json. */
export function programOf(path: string): string {
  for (const folder of programFolders) {
    const file = join(folder, "node_modules", path);
    if (existsSync(file)) return file;
  }
  throw new Error(`${path} is missing: run npm install`);
}

/** Checks the types strictly, as a project with a bundler does, and bundles the journey. */
export async function compileTypeScript(job: Job, journey: string): Promise<void> {
  const { folder, withJourney, run } = job;
  if (withJourney) copyFileSync(journey, join(folder, "journey.ts"));
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "es2023",
        lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
        module: "esnext",
        moduleResolution: "bundler",
        types: ["node"],
        strict: true,
        skipLibCheck: true,
        noEmit: true,
      },
      include: ["client", "journey.ts"],
    }),
  );
  await run({
    command: process.execPath,
    args: [programOf("typescript/bin/tsc"), "--project", "tsconfig.json", "--pretty", "false"],
  });
  if (!withJourney) return;
  const bundle = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning"];
  await run({
    command: programOf("esbuild/bin/esbuild"),
    args: ["journey.ts", ...bundle, "--outfile=journey.mjs"],
  });
}

/** The command that runs the bundled journey. */
export const typescriptJourney: Command = { command: process.execPath, args: ["journey.mjs"] };
