import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installPythonPackages } from "../../local/fetch/python-packages.ts";
import type { Command, Job } from "../client.ts";
import { cacheDir } from "./cache.ts";

/** Installs the requirements of a client once; returns the folder with its packages. */
export function installRequirements(source: string): Promise<string> {
  const requirements = join(source, "requirements.txt");
  return installPythonPackages({ requirements, env: process.env, cacheDir });
}

/** Returns the command of Python with these arguments and the packages of the client. */
export async function pythonCommand(source: string, args: readonly string[]): Promise<Command> {
  const packages = await installRequirements(source);
  return {
    command: "python3",
    args,
    env: {
      PYTHONPATH: ["client", packages].join(":"),
      PATH: [join(packages, "bin"), process.env.PATH].join(":"),
      PYTHONDONTWRITEBYTECODE: "1",
    },
  };
}

/**
 * Imports every module of the generated package, and checks the journey strictly against its types.
 * As for any installed package, mypy does not report errors inside it. `plugins` are mypy's, of
 * libraries that the client is built on.
 */
export async function compilePython(
  job: Job,
  source: string,
  name: string,
  plugins: readonly string[] = [],
): Promise<void> {
  const importAll = [
    "import importlib, pkgutil, sys",
    "package = importlib.import_module(sys.argv[1])",
    "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):",
    "    importlib.import_module(module.name)",
  ].join("\n");
  await job.run(await pythonCommand(source, ["-c", importAll, name]));
  if (!job.withJourney) return;
  copyFileSync(join(source, "journey.py"), join(job.folder, "journey.py"));
  writeFileSync(join(job.folder, "mypy.ini"), `[mypy]\nplugins = ${plugins.join(", ")}\n`);
  await job.run(await pythonCommand(source, ["-m", "mypy", "--strict", "journey.py"]));
}
