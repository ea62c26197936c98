import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { processEnvironment, serviceEnvironment } from "@settle/chassis/config";
import { z } from "zod";
import { usage as edgeUsage } from "../../edge/render.ts";
import { environment as pageEnvironment } from "../../web/server/config.ts";
import { environment as issuerEnvironment } from "../dev-issuer/config.ts";
import { usage as localUsage } from "../local/config.ts";
import { environment as provisionEnvironment } from "../provision/config.ts";

/** Where {@link configurationReference} belongs. */
export const configurationPath = "docs/reference/configuration.md";

/** A variable as JSON Schema describes it, with what our schemas add in `meta`. */
type Variable = {
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required: boolean;
  /** The schemes of a URL. */
  readonly schemes?: string;
  /** The kind of value, if its type does not say. */
  readonly takes?: string;
  /** The effect of leaving the variable out, if that is not a fixed default. */
  readonly otherwise?: string;
};

type Variables = Readonly<Record<string, Variable>>;

/**
 * Returns the reference of all configuration, as Markdown: the variables of each program from the
 * schemas that read them, and the options of the commands. Throws for a variable without a
 * description.
 */
export async function configurationReference(root: string): Promise<string> {
  const everywhere = variablesOf(processEnvironment);
  const services = variablesOf(serviceEnvironment);
  const own: string[] = [];
  for (const path of globSync("services/*/src/config.ts", { cwd: root }).sort()) {
    // A service without variables of its own exports no schema.
    const { environment = serviceEnvironment } = await import(join(root, path));
    const variables = without(variablesOf(environment), services);
    const [, name = ""] = path.split("/");
    if (Object.keys(variables).length > 0) own.push(section(`The service ${name}`, variables));
  }
  const programs = [
    section("Every program", everywhere, "The services, the page's server and the issuer."),
    section("Every service", without(services, everywhere)),
    ...own,
    section("The page's server", without(variablesOf(pageEnvironment), everywhere)),
    section("The development issuer", without(variablesOf(issuerEnvironment), everywhere)),
    section(
      "Provisioning",
      variablesOf(provisionEnvironment),
      "The command `node tools/provision/main.ts`.",
    ),
  ];
  // Defaults below the repository depend on where it is.
  const text = `# Configuration

*Written by \`npm run generate\` from the schemas that read the variables. Do not edit.*

A program reads its environment once, at the start. It stops with one message that lists every
variable that is missing or not valid. An empty variable counts as not set. Durations are in
milliseconds; a boolean is \`true\` or \`false\`.

${programs.join("\n")}
## The edge

Envoy reads no variables. This command writes its configuration:

\`\`\`text
${edgeUsage}
\`\`\`

## The local system

\`npm start\` chooses addresses and passwords itself and sets the variables of its programs. What it
reads:

\`\`\`text
${localUsage}
\`\`\`
`;
  return text.replaceAll(join(root, "/"), "");
}

function variablesOf(schema: z.ZodType): Variables {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, {
    io: "input",
    override({ zodSchema: { _zod }, jsonSchema }) {
      const { def } = _zod;
      if (def.type === "pipe" && def.out._zod.def.type === "boolean") jsonSchema.takes = "boolean";
      if ("protocol" in def) jsonSchema.schemes = schemesOf(String(def.protocol));
    },
  });
  return Object.fromEntries(
    Object.entries(properties).map(([name, variable]) => [
      name,
      { ...(variable as object), required: required.includes(name) },
    ]),
  );
}

/** The schemes that a pattern such as `/^https?$/` allows. */
function schemesOf(pattern: string): string {
  const [, stem = "", more = "", last = ""] =
    /^\/\^(\w+?)(?:\((\w+)\)|(\w))\?\$\/$/.exec(pattern) ?? assert.fail(pattern);
  return `\`${stem}://\` or \`${stem}${more}${last}://\``;
}

/** Those of `variables` that differ from the ones of the same names in `known`. */
function without(variables: Variables, known: Variables): Variables {
  return Object.fromEntries(
    Object.entries(variables).filter(([name, one]) => !isDeepStrictEqual(one, known[name])),
  );
}

function section(title: string, variables: Variables, intro = ""): string {
  const rows = Object.entries(variables).map(([name, variable]) => {
    if (!variable.description) throw new Error(`${name} has no description`);
    const cells = [
      `\`${name}\``,
      variable.description,
      typeOf(variable),
      defaultOf(variable),
      limitsOf(variable),
    ];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return `## ${title}
${intro && `\n${intro}\n`}
| variable | meaning | type | default | limits |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function typeOf(variable: Variable): string {
  if (variable.takes) return variable.takes;
  if (variable.enum) return "one of";
  return variable.format === "uri" ? "URL" : (variable.type ?? "");
}

function defaultOf(variable: Variable): string {
  if (variable.otherwise) return variable.otherwise;
  if (variable.required) return "**required**";
  return variable.default === undefined ? "none" : `\`${variable.default}\``;
}

function limitsOf({ enum: words, pattern, minimum, maximum, schemes }: Variable): string {
  if (words) return words.map((word) => `\`${word}\``).join(", ");
  if (pattern) return `\`${pattern}\``;
  if (schemes) return schemes;
  if (minimum === undefined) return "";
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return isBounded ? `${grouped(minimum)} to ${grouped(maximum)}` : `at least ${grouped(minimum)}`;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
