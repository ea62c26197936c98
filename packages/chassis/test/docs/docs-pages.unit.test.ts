import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { readDocsPages } from "../../src/docs/docs-pages.ts";
import { renderEvents } from "../../src/docs/events-page.ts";
import type { Page } from "../../src/docs/page.ts";
import { setup } from "../rpc/rpc-setup.ts";

const tokenUrl = "http://localhost:8003/token";
const edgeUrl = "https://api.example";

describe("the pages that document the API", () => {
  let pages: ReadonlyMap<string, Page>;
  before(async () => {
    pages = await readDocsPages({ ownPackage: "orders.v1", tokenUrl, edgeUrl });
  });
  const textOf = (path: string, of = pages) => of.get(path)?.body.toString() ?? assert.fail(path);

  it("include everything that the page loads, and load nothing from elsewhere", () => {
    const html = textOf("/swagger/docs");
    const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path = ""]) => path);
    assert.ok(loaded.length >= 6);
    for (const path of loaded) assert.ok(pages.has(path), path);
    const [, names = ""] = /data-documents="([^"]*)"/.exec(html) ?? [];
    const listed = names.split(" ");
    assert.equal(listed[0], "settle");
    for (const name of ["orders", "payments"]) assert.ok(listed.includes(name), name);
    for (const name of listed) {
      const { openapi, servers } = JSON.parse(textOf(`/swagger/v1/${name}.json`));
      assert.equal(openapi, "3.1.0");
      assert.deepEqual(
        servers.map(({ url }: { url: string }) => url),
        ["/"],
        "the server is where the document is served",
      );
    }
  });

  it("have all modules that their scripts import", () => {
    const scripts = [...pages.keys()].filter((path) => /\/docs[\w-]*\.js$/.test(path));
    const imported = scripts.flatMap((path) =>
      [...textOf(path).matchAll(/from "\.\/([\w.-]+)"/g)].map(([, file = ""]) => file),
    );
    assert.ok(imported.length >= 4);
    for (const file of imported) assert.ok(pages.has(`/swagger/docs/${file}`), file);
  });

  it("include the service's own document, whose server is the edge", () => {
    const { servers, ...own } = JSON.parse(textOf("/swagger/v1/swagger.json"));
    assert.deepEqual(servers, [{ url: edgeUrl, description: "The edge" }]);
    const { servers: _, ...same } = JSON.parse(textOf("/swagger/v1/orders.json"));
    assert.deepEqual(own, same);
  });

  it("let the reader sign in for development only, and connect nowhere else", async () => {
    const policyOf = (of: typeof pages) =>
      of.get("/swagger/docs")?.headers["content-security-policy"] ?? "";
    assert.match(textOf("/swagger/docs"), /data-token-url="http:\/\/localhost:8003\/token"/);
    assert.match(policyOf(pages), /connect-src 'self' http:\/\/localhost:8003;/);
    const strict = await readDocsPages({
      ownPackage: "payments.v1",
      tokenUrl: undefined,
      edgeUrl,
    });
    assert.match(textOf("/swagger/docs", strict), /data-token-url=""/);
    assert.match(policyOf(strict), /connect-src 'self';/);
    assert.match(policyOf(strict), /default-src 'none'; script-src 'self';/);
  });

  it("show each event: its routing, properties and fields, and an example", () => {
    const html = textOf("/swagger/events");
    const document = JSON.parse(textOf("/swagger/v1/events.json"));
    assert.equal(document.asyncapi, "3.0.0");
    const messages: { name: string; title: string }[] = Object.values(document.components.messages);
    assert.ok(messages.length >= 4);
    // Not every one: an event may be for other teams alone.
    assert.match(html, /<dt>Consumed<\/dt><dd>by \w+, from the queue <code>\w+\.work<\/code>/);
    for (const { name, title } of messages) {
      const section = sectionOf(html, name);
      assert.ok(section.includes(`>${title}</a></h2>`), name);
      const isBatch = name === "events.v1.EventBatch";
      const key = isBatch ? "events.v1.OrderCreatedEvent.batch" : name;
      assert.match(section, new RegExp(`to the topic exchange .*routing key <code>${key}</code>`));
      const fields = isBatch ? ["events[]", "events[].id"] : ["orderId", "userId"];
      for (const field of ["message_id", "traceparent", ...fields]) {
        assert.ok(section.includes(`<code>${field}</code></th>`), `${name}: ${field}`);
      }
    }
    // The range of the amount narrows what Money says of it.
    const created = sectionOf(html, "events.v1.OrderCreatedEvent");
    assert.match(created, /<code>amount\.minorUnits<\/code><\/th>\s*<td>string \(int64\)/);
    assert.match(created, /<code>amount\.currency<\/code>/);
    const result = sectionOf(html, "events.v1.PaymentResultEvent");
    assert.match(result, /<th scope="row"><code>amount\.minorUnits<\/code>/);
    assert.match(result, /<li><code>DECLINE_REASON_CURRENCY_MISMATCH<\/code>: /);
    assert.match(
      result,
      /<code>type<\/code><\/th>\s*<td>&quot;events\.v1\.PaymentResultEvent&quot;/,
    );
    assert.match(result, /&quot;outcome&quot;: &quot;PAYMENT_OUTCOME_PAID&quot;/);
  });

  it("show for which service the publisher of an event does not wait", () => {
    const testdata = "../../../protoc-gen-asyncapi/testdata/shop/full/shop.json";
    const document = JSON.parse(readFileSync(new URL(testdata, import.meta.url), "utf8"));
    const delivered = sectionOf(renderEvents(document), "shop.v1.ParcelDelivered");
    const note = "; the publisher does not wait for it";
    assert.ok(delivered.includes(`by archive, from the queue <code>archive.inbox</code>${note}`));
    assert.ok(delivered.includes("by billing, from the queue <code>billing.inbox</code></dd>"));
  });

  it("show events without any script, and load nothing from elsewhere", () => {
    const html = textOf("/swagger/events");
    const links = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path = ""]) => path);
    assert.ok(links.length >= 4);
    for (const path of links) assert.ok(pages.has(path), path);
    assert.doesNotMatch(html, /<script|style="|undefined|\[object/);
    const policy = pages.get("/swagger/events")?.headers["content-security-policy"] ?? "";
    assert.match(policy, /^default-src 'none'; style-src 'self'; img-src 'self';/);
    assert.doesNotMatch(policy, /script|unsafe|connect/);
    const css = textOf("/swagger/events/events.css");
    assert.match(css, /color-scheme: light dark/);
    assert.doesNotMatch(css, /url\(|@import/);
  });

  it("are served without a token, in full or as 304", async () => {
    await using bundle = await setup({ pages });
    const get = (path: string, init: RequestInit = {}) => fetch(bundle.baseUrl + path, init);
    for (const [path, { body }] of pages) {
      const response = await get(path);
      assert.equal(response.status, 200);
      assert.ok(body.equals(await response.bytes()), path);
    }
    const document = await get("/swagger/v1/swagger.json");
    assert.equal(document.headers.get("content-type"), "application/json");
    const etag = document.headers.get("etag") ?? "";
    const again = await get("/swagger/v1/swagger.json", { headers: { "if-none-match": etag } });
    assert.equal(again.status, 304);
    const plain = { method: "HEAD", headers: { "accept-encoding": "identity" } };
    const head = await get("/swagger/docs", plain);
    assert.equal(
      head.headers.get("content-length"),
      String(pages.get("/swagger/docs")?.body.length),
    );
    for (const path of [
      "/swagger",
      "/swagger/docs/",
      "/swagger/docs/../docs.ts",
      "/swagger/v1/x",
    ]) {
      assert.equal((await get(path)).status, 404, path);
    }
    assert.equal((await get("/swagger/docs", { method: "POST" })).status, 404);
  });

  it("are compressed in advance, and may be kept by browsers and proxies for a while", async () => {
    await using bundle = await setup({ pages });
    for (const [path, { body, headers }] of pages) {
      const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
      request(
        `${bundle.baseUrl}${path}`,
        { headers: { "accept-encoding": "gzip" } },
        resolve,
      ).end();
      const response = await promise;
      assert.equal(response.headers["content-encoding"], "gzip", path);
      assert.equal(response.headers.vary, "accept-encoding");
      assert.equal(response.headers["cache-control"], "public, max-age=300");
      assert.equal(response.headers.etag, headers.etag);
      assert.ok(body.equals(gunzipSync(await buffer(response))), path);
    }
  });

  it("contain the generated documents, without what is for operators in that of all packages", () => {
    const readDocument = (name: string) =>
      readFileSync(new URL(`../../../../gen/openapi/${name}.json`, import.meta.url));
    assert.ok(pages.get("/swagger/v1/orders.ops.json")?.body.equals(readDocument("orders.ops.v1")));
    const shown = JSON.parse(String(pages.get("/swagger/v1/settle.json")?.body));
    const generated = JSON.parse(String(readDocument("settle")));
    const isForOperators = (path: string) => path.startsWith("/gateway/ops/");
    const [left, all] = [Object.keys(shown.paths), Object.keys(generated.paths)];
    assert.deepEqual(
      left,
      all.filter((path) => !isForOperators(path)),
    );
    assert.ok(all.some(isForOperators));
    assert.ok(left.length > 5);
    assert.deepEqual(shown.components, generated.components);
    const events = readFileSync(new URL("../../../../gen/asyncapi/settle.json", import.meta.url));
    assert.ok(pages.get("/swagger/v1/events.json")?.body.equals(events));
  });
});

function sectionOf(html: string, name: string): string {
  const [, rest = ""] = html.split(`<section id="${name}">`);
  return rest.split("</section>")[0] ?? "";
}
