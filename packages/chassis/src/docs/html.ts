/** Text that is already safe HTML. */
export type Html = { readonly html: string };

type Value = string | number | Html | readonly Html[];

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Template tag for HTML: values are escaped unless they are {@link Html}. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const parts = strings.map(
    (text, index) => text + (index < values.length ? write(values[index]) : ""),
  );
  return { html: parts.join("") };
}

/** Renders the text of proto comments: paragraphs, lists with `- ` and code in backquotes. */
export function prose(text: string): Html {
  const blocks = text
    .trim()
    .split(/\n{2,}/)
    .filter((block) => block !== "");
  return html`${blocks.map((block) => {
    const items = block.split(/^- /m);
    if (!block.startsWith("- ")) return html`<p>${withCode(block)}</p>`;
    return html`<ul>${items.slice(1).map((item) => html`<li>${withCode(item.trim())}</li>`)}</ul>`;
  })}`;
}

function withCode(text: string): Html {
  const parts = text.split("`");
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))}`;
}

function write(value: Value | undefined): string {
  if (typeof value === "object") {
    return "html" in value ? value.html : value.map((item) => item.html).join("");
  }
  return String(value).replaceAll(/[&<>"']/g, (character) => escapes[character] ?? "");
}
