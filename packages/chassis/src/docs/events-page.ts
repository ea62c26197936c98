import type { EventMessage, EventsDocument, Schema } from "./events-document.ts";
import { type Html, html, prose } from "./html.ts";
import { narrow, refOf } from "./schema-parts.ts";

/**
 * Renders the page for an AsyncAPI document: for each event its routing, its AMQP properties and
 * headers, its fields, and an example. The page has no script and loads only its style sheet.
 */
export function renderEvents(document: EventsDocument): string {
  const { info, components } = document;
  const messages = Object.values(components.messages);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}</title>
<link rel="icon" type="image/png" href="/swagger/docs/favicon-32x32.png">
<link rel="stylesheet" href="/swagger/events/events.css">
</head>
<body>
<header>
<h1>${info.title} <small>${info.version}</small></h1>
<nav><a href="/swagger/docs">API</a> <a href="/swagger/v1/events.json">AsyncAPI document</a></nav>
</header>
<main>
${prose(info.description ?? "")}
<ul class="index">${messages.map(
    ({ name, title, summary }) =>
      html`<li><a href="#${name}">${title}</a> ${withStop(summary)}</li>`,
  )}</ul>
${messages.map((message) => section(document, message))}
</main>
</body>
</html>
`;
  return page.html;
}

function section(document: EventsDocument, message: EventMessage): Html {
  const { name, title, summary, description, examples = [], headers } = message;
  const facts = routeOf(document, name).map(
    ([what, value]) => html`<dt>${what}</dt><dd>${value}</dd>`,
  );
  return html`<section id="${name}">
<h2><a href="#${name}">${title}</a></h2>
<p>${withStop(summary)}</p>
${prose(description ?? "")}
<dl>${facts}<dt>Body</dt><dd><code>${message.contentType}</code>: <code>${message["x-protobuf"].message}</code> of <code>${message["x-protobuf"].file}</code></dd></dl>
<h3>AMQP properties</h3>
${table(document, message["x-amqp-properties"])}
${headers ? html`<h3>Headers</h3>${table(document, headers)}` : ""}
<h3>Fields</h3>
${table(document, message.payload)}
${examples.map(
  ({ payload }) => html`<h3>Example (JSON)</h3>
<pre><code>${JSON.stringify(payload, undefined, 2)}</code></pre>`,
)}
</section>
`;
}

/** How an event is routed: its exchange and routing key, and who sends and receives it. */
function routeOf(document: EventsDocument, name: string): readonly (readonly [string, Html])[] {
  const operations = Object.values(document.operations)
    .filter(({ messages }) => messages.some(({ $ref }) => $ref.endsWith(`/messages/${name}`)))
    .sort((a, b) => b.action.localeCompare(a.action));
  return operations.map(({ action, channel, tags }) => {
    const { address = "", bindings } = document.channels[lastOf(channel.$ref)] ?? {};
    const who = tags.map((tag) => tag.name).join(", ");
    if (action === "receive") {
      const isWaitedFor = bindings?.amqp["x-waited-for"] ?? true;
      const note = isWaitedFor ? "" : "; the publisher does not wait for it";
      return ["Consumed", html`by ${who}, from the queue <code>${address}</code>${note}`];
    }
    const { name: exchange = "", type = "" } = bindings?.amqp.exchange ?? {};
    const to = html`to the ${type} exchange <code>${exchange}</code>`;
    return ["Published", html`by ${who} ${to}, routing key <code>${address}</code>`];
  });
}

function table(document: EventsDocument, schema: Schema): Html {
  const rows = rowsOf(document, schema, "", []).map(
    ({ path, type, isRequired, text }) => html`<tr>
<th scope="row"><code>${path}</code></th>
<td>${type}${isRequired ? "" : html` <small>optional</small>`}</td>
<td>${prose(text)}</td>
</tr>`,
  );
  return html`<table>
<thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Description</th></tr></thead>
<tbody>${rows}</tbody>
</table>`;
}

type Row = {
  readonly path: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly text: string;
};

/** A row for each field and each nested field. A message nested in itself is not repeated. */
function rowsOf(
  document: EventsDocument,
  schema: Schema,
  prefix: string,
  within: readonly string[],
): readonly Row[] {
  const { properties = {}, required = [] } = resolve(document, schema);
  return Object.entries(properties).flatMap(([name, field]) => {
    const whole = resolve(document, field);
    const inner = resolve(document, whole.items ?? whole);
    const path = `${prefix}${name}${whole.items ? "[]" : ""}`;
    // The last paragraph lists the values; the field's own description covers the others.
    const about = inner.enum && referred(document, field.items ?? field)?.description;
    const values = about?.split("\n\n").at(-1);
    const row: Row = {
      path,
      type: typeOf(whole, inner),
      isRequired: required.includes(name),
      text: [field.description, values].filter(Boolean).join("\n\n"),
    };
    const message = refOf(whole.items ?? field) ?? "";
    if (!inner.properties || within.includes(message)) return [row];
    return [row, ...rowsOf(document, inner, `${path}.`, [...within, message])];
  });
}

function typeOf(whole: Schema, inner: Schema): string {
  if (whole.const !== undefined) return JSON.stringify(whole.const);
  if (whole.items) return `list of ${typeOf(inner, inner)}`;
  if (inner.enum) return "enum";
  if (inner.properties) return "message";
  const type = [inner.type ?? "any"].flat().join(" or ");
  return inner.format ? `${type} (${inner.format})` : type;
}

/** The schema that `schema` refers to, merged with what `schema` adds itself. */
function resolve(document: EventsDocument, schema: Schema): Schema {
  const { $ref, allOf = [], ...own } = schema;
  const found = $ref === undefined ? {} : (document.components.schemas[lastOf($ref)] ?? {});
  return [found, ...allOf.map((part) => resolve(document, part)), own].reduce(narrow<Schema>);
}

/** The schema that `schema` refers to, without what `schema` adds. */
function referred(document: EventsDocument, schema: Schema): Schema | undefined {
  const ref = refOf(schema);
  return ref === undefined ? undefined : document.components.schemas[lastOf(ref)];
}

function lastOf(pointer: string): string {
  return pointer.split("/").at(-1) ?? "";
}

function withStop(summary: string | undefined): string {
  return summary === undefined ? "" : `${summary}.`;
}
