type Lock = { packages: Record<string, unknown> };

/**
 * The lock file's text with a service of this manifest, as `npm install` would write it: the packages
 * it takes are all there, because it takes none that others do not.
 */
export function addPackage(text: string, name: string, manifest: string): string {
  const { name: packageName, version, license, dependencies } = JSON.parse(manifest);
  return edit(text, (packages) => {
    packages[`services/${name}`] = { name: packageName, version, license, dependencies };
    packages[`node_modules/${packageName}`] = { resolved: `services/${name}`, link: true };
  });
}

/** The text without the service. */
export function removePackage(text: string, name: string): string {
  return edit(text, (packages) => {
    delete packages[`services/${name}`];
    delete packages[`node_modules/@settle/${name}`];
  });
}

function edit(text: string, change: (packages: Lock["packages"]) => void): string {
  const lock: Lock = JSON.parse(text);
  change(lock.packages);
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")),
  );
  return `${JSON.stringify(lock, undefined, 2)}\n`;
}
