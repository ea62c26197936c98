import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ScalarType } from "@bufbuild/protobuf";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";
import { serviceNames, variableOf } from "../../services/services.ts";
import { localPorts } from "../local/config.ts";
import { takenByFiles } from "./places/places.ts";
import { findClash, sdkNamesOf } from "./template.ts";

const pattern = /^[a-z][a-z0-9]{1,29}$/;

const edgeFile = "edge/envoy.yaml";
/** Where everything has its name that the SDK exports, or that its generated code imports. */
const sdkFiles = [
  "gen/sdk/src/messages.ts",
  "packages/sdk/src/surface.ts",
  "packages/sdk-runtime/src/index.ts",
];

/** What a name would be mistaken for, by what it cannot be. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  "the project itself": ["settle", "services", "service", "gateway", "swagger", "healthz"],
  "a user or a database of the servers": [
    ...["postgres", "template0", "template1", "public", "none", "root", "system"],
    ...["admin", "administrator", "guest", "rabbitmq", "amqp"],
  ],
  "a word of protobuf or of somebody's package": [
    ...["google", "buf", "grpc", "proto", "package", "message", "enum", "import", "option"],
    ...["rpc", "syntax", "stream", "string", "bytes", "bool", "map", "oneof", "returns"],
  ],
  "a word of TypeScript": [
    ...["as", "async", "await", "break", "case", "catch", "class", "const", "constructor"],
    ...["continue", "debugger", "default", "delete", "do", "else", "export", "extends", "false"],
    ...["finally", "for", "from", "function", "if", "implements", "in", "instanceof", "interface"],
    ...["let", "new", "null", "object", "of", "private", "protected", "prototype", "return"],
    ...["static", "super", "switch", "then", "this", "throw", "true", "try", "type", "typeof"],
    ...["undefined", "var", "void", "while", "with", "yield"],
  ],
  "a word of Python or Java": [
    ...["abstract", "and", "assert", "boolean", "byte", "char", "def", "del", "double", "elif"],
    ...["except", "final", "float", "global", "goto", "int", "is", "lambda", "long", "native"],
    ...["nonlocal", "not", "or", "pass", "raise", "short", "strictfp", "synchronized", "throws"],
    ...["transient", "volatile"],
  ],
  "true or false in YAML": ["on", "off", "yes", "no"],
  "a folder that git, Docker or the linter ignore": ["coverage", "dist", "test", "testdata"],
  "a file of the SDK": ["errors", "facades", "messages", "index"],
  "a part of the system": ["page", "frontend", "provision", "issuer", "envoy", "postgresql"],
};

/**
 * Says what is wrong with the name of a new service below `root`, and what to do; undefined for a
 * name that it can have.
 */
export function whyNotName(root: string, name: string): string | undefined {
  if (!pattern.test(name)) {
    return (
      `"${name}" is no name for a service: take a lower-case letter, then lower-case letters and ` +
      "digits, 2 to 30 in all; it becomes a package, a role, a queue and an identifier"
    );
  }
  if (serviceNames.some((service) => service === name)) {
    return `there is a service ${name} already: choose another name, or --remove that one first`;
  }
  const what = whatHas(root, name);
  return what && `"${name}" is reserved, it is ${what}: choose another name`;
}

function whatHas(root: string, name: string): string | undefined {
  const listed = Object.entries(reserved).find(([, names]) => names.includes(name));
  if (listed) return listed[0];
  const folders = ["services", "proto", "packages", "node_modules/@settle"];
  const folder = folders.find((parent) => existsSync(join(root, parent, name)));
  if (folder !== undefined) return `the folder ${folder}/${name}`;
  const variable = variableOf(name, "PORT");
  const ports = Object.values(localPorts);
  if (ports.some((port) => port.variable === variable)) return `what ${variable} is about`;
  if (Object.hasOwn(localPorts, name)) return "what npm start calls another of its ports";
  if (takenByFiles.includes(name)) return "a name in the files of the edge and of compose";
  const edge = readFileSync(join(root, edgeFile), "utf8");
  if (edge.match(/(?<=&)\w+/g)?.includes(name)) return `an anchor of ${edgeFile}`;
  // The port has no part in it.
  const service = { name, port: 0 };
  const exported = new Set(
    sdkFiles.flatMap((file) => readFileSync(join(root, file), "utf8").split(/\W+/)),
  );
  const own = sdkNamesOf(service).find((one) => one === "Promise" || exported.has(one));
  if (own !== undefined) return `what the SDK calls ${own} already`;
  const clash = findClash(service);
  return clash && `what a new service calls ${clash} already`;
}

/** What is wrong with each of the events that a new service is to handle; nothing where all are well. */
export function faultsOfEvents(events: readonly string[]): readonly string[] {
  if (events.length === 0) {
    return ["there is no event to handle: name one or more by --handles; --help lists them"];
  }
  return events.flatMap((event) => {
    const found = file_events_v1_events.messages.find(({ typeName }) => typeName === event);
    if (!found) return [`there is no event ${event}: --help lists those of the contract`];
    const { userId } = found.field;
    if (userId?.fieldKind === "scalar" && userId.scalar === ScalarType.STRING) return [];
    return [`${event} has no user_id, by which a new service counts: handle it by hand`];
  });
}
