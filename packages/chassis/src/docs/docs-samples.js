/** The languages in which a request is shown after it was sent, for Swagger UI. */
export const languages = {
  curl_bash: { title: "curl", syntax: "bash" },
  typescript: { title: "TypeScript", syntax: "javascript" },
  python: { title: "Python", syntax: "python" },
};

/** A plugin of Swagger UI with the code of these languages. */
export const samples = (system) => ({
  fn: {
    requestSnippetGenerator_typescript: (request) =>
      typescript(system.getSystem().specSelectors.specJson().toJS(), request.toJS()),
    requestSnippetGenerator_python: (request) => python(request.toJS()),
  },
});

const quoted = (value) => JSON.stringify(value);

/** A call of the SDK: its method has the name of the operation, and takes all fields of the request. */
function typescript(document, request) {
  const { origin, pathname, searchParams } = new URL(request.url, location.href);
  const found = operationAt(document, request.method.toLowerCase(), pathname);
  if (!found) return "";
  const [service, method] = found.operationId.split("_");
  const client = service.replace(/Service$/, "").toLowerCase();
  const query = Array.from(searchParams, ([name, value]) => [name, queryValue(name, value)]);
  const fields = [
    ...Object.entries(found.parameters).map(([name, value]) => [name, quoted(value)]),
    ...Object.entries(JSON.parse(request.body || "{}")).map(([name, value]) => [
      name,
      literal(value),
    ]),
    ...query,
  ];
  const argument = `{ ${fields.map(([name, value]) => `${name}: ${value}`).join(", ")} }`;
  const call = `settle.${client}.${method[0].toLowerCase()}${method.slice(1)}(${argument})`;
  const names = ["createSettle", ...(call.includes("OrderStatus.") ? ["OrderStatus"] : [])];
  return [
    `import { ${names.join(", ")} } from "@settle/sdk";`,
    "",
    `const settle = createSettle({ baseUrl: ${quoted(origin)}, token });`,
    ...(pathname.endsWith(":watch")
      ? [`for await (const change of ${call}) {`, "  console.log(change);", "}"]
      : [`console.log(await ${call});`]),
  ].join("\n");
}

function queryValue(name, value) {
  if (name === "status") {
    const [, status = value] = /^ORDER_STATUS_(.+)$/.exec(value) ?? [];
    return `OrderStatus.${status}`;
  }
  if (name === "afterRevision") return `${value}n`;
  if (/^\d+$/.test(value)) return value;
  return name.startsWith("created") ? `new Date(${quoted(value)})` : quoted(value);
}

/** JavaScript for a value of JSON. Whole numbers of 64 bits are strings there. */
function literal(value, name) {
  if (name === "minorUnits") return `${value}n`;
  if (typeof value !== "object" || value === null) return quoted(value);
  const fields = Object.entries(value).map(([key, one]) => `${key}: ${literal(one, key)}`);
  return `{ ${fields.join(", ")} }`;
}

function python(request) {
  const { url, method, headers, body } = request;
  const shown = Object.entries(headers).filter(([name]) => name.toLowerCase() !== "content-type");
  return [
    "import requests",
    "",
    `response = requests.request(${quoted(method)}, ${quoted(url)},`,
    "    headers={",
    ...shown.map(([name, value]) => `        ${quoted(name)}: ${quoted(value)},`),
    "    },",
    ...(body ? [`    json=${quoted(JSON.parse(body))},`] : []),
    ...(url.includes(":watch") ? ["    stream=True,"] : []),
    ")",
    ...(url.includes(":watch")
      ? ["for line in response.iter_lines():", "    print(line.decode())"]
      : ["print(response.status_code, response.json())"]),
  ].join("\n");
}

function operationAt(document, method, pathname) {
  for (const [template, operations] of Object.entries(document.paths)) {
    const names = Array.from(template.matchAll(/\{(\w+)\}/g), ([, name]) => name);
    const pattern = template.replaceAll(/[.:]/g, "\\$&").replaceAll(/\{\w+\}/g, "([^/:]+)");
    const values = new RegExp(`^${pattern}$`).exec(decodeURI(pathname));
    const { operationId } = operations[method] ?? {};
    if (!values || !operationId) continue;
    const parameters = Object.fromEntries(
      names.map((name, at) => [name, decodeURIComponent(values[at + 1])]),
    );
    return { operationId, parameters };
  }
  return undefined;
}
