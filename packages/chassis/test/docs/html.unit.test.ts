import assert from "node:assert/strict";
import { html, prose } from "../../src/docs/html.ts";

describe("HTML", () => {
  it("escapes whatever is put in, once", () => {
    const inner = html`<b>${`<i title="a">'&'</i>`}</b>`;
    assert.equal(
      html`${inner}${[inner]}${7}`.html,
      `${"<b>&lt;i title=&quot;a&quot;&gt;&#39;&amp;&#39;&lt;/i&gt;</b>".repeat(2)}7`,
    );
  });

  it("has the paragraphs, lists and code of a comment", () => {
    assert.equal(
      prose("One `a<b`\ntwo.\n\n- `x`: first\n  line\n- second\n\n\nEnd.").html,
      "<p>One <code>a&lt;b</code>\ntwo.</p>" +
        "<ul><li><code>x</code>: first\n  line</li><li>second</li></ul><p>End.</p>",
    );
    assert.equal(prose("").html, "");
  });
});
