import { chmodSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DebianPackages, unpackDebianPackages } from "../fetch/debian-packages.ts";
import type { RabbitmqInstallation } from "./rabbitmq-node.ts";

/**
 * Listed one by one and downloaded with `--reinstall`, so that installed packages are included: all
 * applications of Erlang must be in one folder.
 */
const packages = [
  "rabbitmq-server",
  ..."asn1 base crypto eldap ftp inets mnesia os-mon parsetools public-key runtime-tools snmp ssl"
    .split(" ")
    .map((name) => `erlang-${name}`),
  ..."syntax-tools tftp tools xmerl".split(" ").map((name) => `erlang-${name}`),
];

/**
 * Unpacks RabbitMQ and Erlang from the packages of this Debian or Ubuntu into a folder of the
 * cache; see `unpackDebianPackages`.
 */
export async function unpackDebianRabbitmq(
  options: Pick<DebianPackages, "cacheDir" | "env" | "signal" | "log">,
): Promise<RabbitmqInstallation> {
  const { root, libraryPath } = await unpackDebianPackages({
    ...options,
    name: "RabbitMQ",
    packages,
    complete: writeErl,
  });
  const home = onlyMatch(root, "usr/lib/rabbitmq/lib/rabbitmq_server-*");
  const erts = onlyMatch(root, "usr/lib/erlang/erts-*");
  return {
    home,
    epmd: join(erts, "bin/epmd"),
    env: { PATH: `${join(root, "bin")}:/usr/bin:/bin`, LD_LIBRARY_PATH: libraryPath },
  };
}

/** The `erl` of Debian only works in `/usr/lib/erlang`; this one works in any folder. */
function writeErl(root: string): void {
  const erl = join(root, "bin/erl");
  mkdirSync(join(root, "bin"), { recursive: true });
  writeFileSync(
    erl,
    `#!/bin/sh
export ROOTDIR="\${0%/bin/erl}/usr/lib/erlang" EMU=beam PROGNAME=erl
export BINDIR="$(echo "$ROOTDIR"/erts-*/bin)"
exec "$BINDIR/erlexec" "$@"
`,
  );
  chmodSync(erl, 0o755);
}

function onlyMatch(root: string, pattern: string): string {
  const [match] = globSync(join(root, pattern));
  if (match === undefined) throw new Error(`the packages do not contain ${pattern}`);
  return match;
}
