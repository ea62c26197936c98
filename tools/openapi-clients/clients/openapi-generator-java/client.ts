import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../client.ts";
import { ecj, fetchJars, findCompiler, findJava, type Jar, java } from "../../toolchains/java.ts";
import {
  findOpenapiGenerator,
  generateByOpenapiGenerator,
  openapiGenerator,
} from "../../toolchains/openapi-generator.ts";

/** What its clients import, in the versions of the pom.xml that it writes. */
const libraries: readonly Jar[] = [
  {
    artifact: "com.fasterxml.jackson.core:jackson-core:2.21.6",
    sha256: "36111c3a4372cd5c2be6f4ec44a050382487920f3fc38ca3015c9c1678bd7c56",
  },
  {
    artifact: "com.fasterxml.jackson.core:jackson-annotations:2.21",
    sha256: "53ca085f4a150f703f49e1aabd935bd03b43e1ea3d55d135438292af22cef56b",
  },
  {
    artifact: "com.fasterxml.jackson.core:jackson-databind:2.21.6",
    sha256: "62134a98de12d0a421cd2f5b9854c8e63f10f524b0341e66cfd31a4326f6a329",
  },
  {
    artifact: "com.fasterxml.jackson.datatype:jackson-datatype-jsr310:2.21.6",
    sha256: "1d82027afe574c63e24df72eb109f98de02dff3bb5adf81f0174b27088490067",
  },
  {
    artifact: "org.openapitools:jackson-databind-nullable:0.2.12",
    sha256: "cdcf0d46f9d7f076be4298145616035123b76b2ae390ae61752c06b1c5068210",
  },
  {
    artifact: "com.google.code.findbugs:jsr305:3.0.2",
    sha256: "766ad2a0783f2687962c8ad74ceecc38a28b9f72a2d085ee438b7813e928d0c7",
  },
  {
    artifact: "jakarta.annotation:jakarta.annotation-api:1.3.5",
    sha256: "85fb03fc054cdf4efca8efd9b6712bbb418e1ab98241c4539c8585bbc23e1b8a",
  },
];
const findClassPath = async () => (await fetchJars(libraries)).join(":");

export const openapiGeneratorJava: Client = {
  name: "openapi-generator-java",
  language: "Java",
  tools: [
    openapiGenerator,
    { name: "jackson", version: "2.21.6", license: "Apache-2.0" },
    ecj,
    java,
  ],
  onlyNode: false,
  watch: "raw",
  async prepare() {
    await findOpenapiGenerator();
    await findCompiler();
    await findClassPath();
  },
  generate: (job) =>
    generateByOpenapiGenerator(job, "java", {
      library: "native",
      useOneOfDiscriminatorLookup: "true",
    }),
  async compile({ folder, withJourney, run }) {
    const journey = withJourney ? ["Journey.java"] : [];
    for (const file of journey) {
      copyFileSync(join(import.meta.dirname, file), join(folder, file));
    }
    rmSync(join(folder, "classes"), { recursive: true, force: true });
    const options = ["-nowarn", "-source", "17", "-target", "17", "-cp", await findClassPath()];
    await run({
      command: await findJava(),
      args: [
        ...(await findCompiler()),
        ...[...options, "-d", "classes", "client/src/main/java", ...journey],
      ],
    });
  },
  async journey() {
    const classPath = `classes:${await findClassPath()}`;
    return { command: await findJava(), args: ["-cp", classPath, "Journey"] };
  },
};
