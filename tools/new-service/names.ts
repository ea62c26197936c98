import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ScalarType } from "@bufbuild/protobuf";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";
import { serviceNames, variableOf } from "../../services/services.ts";
import { localPorts } from "../local/local-ports.ts";
import { takenByFiles } from "./places/places.ts";
import { findClash, sdkNamesOf } from "./template.ts";

const pattern = /^[a-z][a-z0-9]{1,29}$/;

const edgeFile = "edge/envoy.yaml";
/** The files with every name that the SDK exports or that its generated code imports. */
const sdkFiles = [
  "gen/sdk/src/messages.ts",
  "packages/sdk/src/surface.ts",
  "packages/sdk-runtime/src/index.ts",
];

/** Names that a service cannot have, by what they are. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  "a name that Settle uses": ["settle", "services", "service", "gateway", "swagger", "healthz"],
  "a user or database name that a server may already have": [
    ...["postgres", "template0", "template1", "public", "none", "root", "system"],
    ...["admin", "administrator", "guest", "rabbitmq", "amqp"],
  ],
  "a reserved word of Protocol Buffers or a well-known package": [
    ...["google", "buf", "grpc", "proto", "package", "message", "enum", "import", "option"],
    ...["rpc", "syntax", "stream", "string", "bytes", "bool", "map", "oneof", "returns"],
  ],
  "a word with a special meaning in TypeScript": [
    ...["as", "async", "await", "break", "case", "catch", "class", "const", "constructor"],
    ...["continue", "debugger", "default", "delete", "do", "else", "export", "extends", "false"],
    ...["finally", "for", "from", "function", "if", "implements", "in", "instanceof", "interface"],
    ...["let", "new", "null", "object", "of", "private", "protected", "prototype", "return"],
    ...["static", "super", "switch", "then", "this", "throw", "true", "try", "type", "typeof"],
    ...["undefined", "var", "void", "while", "with", "yield"],
  ],
  "a reserved word of Python or Java": [
    ...["abstract", "and", "assert", "boolean", "byte", "char", "def", "del", "double", "elif"],
    ...["except", "final", "float", "global", "goto", "int", "is", "lambda", "long", "native"],
    ...["nonlocal", "not", "or", "pass", "raise", "short", "strictfp", "synchronized", "throws"],
    ...["transient", "volatile"],
  ],
  "a boolean in YAML": ["on", "off", "yes", "no"],
  "a folder that git, Docker or the linter ignores": ["coverage", "dist", "test", "testdata"],
  "the name of a file in the SDK": ["errors", "facades", "messages", "index"],
  "another part of the system": [
    "page",
    "frontend",
    "provision",
    "provisioner",
    "issuer",
    "envoy",
    "postgresql",
  ],
};

/**
 * Returns why a new service below `root` cannot have this name, and how to fix it; undefined if it
 * can.
 */
export function whyNotName(root: string, name: string): string | undefined {
  if (!pattern.test(name)) {
    return (
      `"${name}" is not a valid service name: use a lower-case letter followed by lower-case ` +
      "letters and digits, 2 to 30 characters in total"
    );
  }
  if (serviceNames.some((service) => service === name)) {
    return `the service ${name} already exists: choose another name, or remove it with --remove`;
  }
  const what = whatHas(root, name);
  return what && `"${name}" is reserved: ${what}; choose another name`;
}

function whatHas(root: string, name: string): string | undefined {
  const listed = Object.entries(reserved).find(([, names]) => names.includes(name));
  if (listed) return `it is ${listed[0]}`;
  const folders = ["services", "proto", "packages", "node_modules/@settle"];
  const folder = folders.find((parent) => existsSync(join(root, parent, name)));
  if (folder !== undefined) return `the folder ${folder}/${name} exists`;
  const variable = variableOf(name, "PORT");
  const ports = Object.values(localPorts);
  if (ports.some((port) => port.variable === variable)) return `${variable} is already in use`;
  if (Object.hasOwn(localPorts, name)) return "npm start uses it for another port";
  if (takenByFiles.includes(name)) return "edge/envoy.yaml or .env.example uses it already";
  const edge = readFileSync(join(root, edgeFile), "utf8");
  if (edge.match(/(?<=&)\w+/g)?.includes(name)) return `it is an anchor in ${edgeFile}`;
  // The port does not matter here.
  const service = { name, port: 0 };
  const exported = new Set(
    sdkFiles.flatMap((file) => readFileSync(join(root, file), "utf8").split(/\W+/)),
  );
  const own = sdkNamesOf(service).find((one) => one === "Promise" || exported.has(one));
  if (own !== undefined) return `the SDK already uses the name ${own}`;
  const clash = findClash(service);
  return clash && `the template already uses the name ${clash}`;
}

/** Returns the faults of the events to handle, each with how to fix it; empty if there are none. */
export function faultsOfEvents(events: readonly string[]): readonly string[] {
  if (events.length === 0) {
    return ["no event to handle: name at least one with --handles; --help lists the events"];
  }
  return events.flatMap((event) => {
    const found = file_events_v1_events.messages.find(({ typeName }) => typeName === event);
    if (!found) return [`the contract has no event ${event}: choose one that --help lists`];
    const { userId } = found.field;
    if (userId?.fieldKind === "scalar" && userId.scalar === ScalarType.STRING) return [];
    return [
      `${event} has no string field user_id, by which a new service counts events: ` +
        "leave it out, and add a handler for it by hand",
    ];
  });
}
