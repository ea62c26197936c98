type Lock = { packages: Record<string, unknown> };

/**
 * Adds a service with this manifest to the lock file, as `npm install` would. The lock file already
 * contains the dependencies of a new service, because other services have them too.
 */
export function addPackage(text: string, name: string, manifest: string): string {
  const { name: packageName, version, license, dependencies } = JSON.parse(manifest);
  return edit(text, (packages) => {
    packages[`services/${name}`] = { name: packageName, version, license, dependencies };
    packages[`node_modules/${packageName}`] = { resolved: `services/${name}`, link: true };
  });
}

/** Removes the service from the lock file. */
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
