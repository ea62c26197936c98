import { existsSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Links the package of the service as `npm install` would, so that nobody has to run it. */
export function linkPackage(root: string, name: string): void {
  const link = pathOf(root, name);
  if (existsSync(link)) return;
  // Removes a dangling link: git removes the folder of a service, but not npm's link to it.
  rmSync(link, { force: true });
  symlinkSync(`../../services/${name}`, link);
}

/** Removes the link to the package. */
export function unlinkPackage(root: string, name: string): void {
  rmSync(pathOf(root, name), { force: true });
}

function pathOf(root: string, name: string): string {
  return join(root, "node_modules/@settle", name);
}
