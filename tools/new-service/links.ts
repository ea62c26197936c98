import { existsSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Links the service's package as `npm install` would, so that nothing has to be installed. */
export function linkPackage(root: string, name: string): void {
  const link = pathOf(root, name);
  if (existsSync(link)) return;
  // One that leads nowhere: git removes a folder, and not what npm has linked to it.
  rmSync(link, { force: true });
  symlinkSync(`../../services/${name}`, link);
}

/** Removes that link. */
export function unlinkPackage(root: string, name: string): void {
  rmSync(pathOf(root, name), { force: true });
}

function pathOf(root: string, name: string): string {
  return join(root, "node_modules/@settle", name);
}
