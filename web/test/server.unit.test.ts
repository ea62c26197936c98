import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { testLog } from "@settle/chassis/testing";
import { readWebConfig } from "../server/config.ts";
import { startWebServer } from "../server/server.ts";

const html = "<!doctype html><title>page</title>";
const script = `console.log("${"settle ".repeat(100)}")`;

describe("the page's server", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "settle-page-"));
    mkdirSync(join(folder, "page/assets"), { recursive: true });
    writeFileSync(join(folder, "secret.txt"), "a secret");
    const write = (name: string, content: string) => {
      writeFileSync(join(folder, "page", name), content);
      writeFileSync(join(folder, "page", `${name}.gz`), gzipSync(content));
      writeFileSync(join(folder, "page", `${name}.br`), brotliCompressSync(content));
    };
    write("index.html", html);
    write("assets/index-1a2b.js", script);
    writeFileSync(join(folder, "page/favicon.svg"), "<svg/>");
  });
  after(() => rmSync(folder, { recursive: true }));

  const start = (variables: Readonly<Record<string, string>> = {}) =>
    startWebServer({
      config: readWebConfig({ PORT: "0", PAGE_FOLDER: join(folder, "page"), ...variables }),
      log: testLog,
    });

  it("tells the page the edge's URL and how to sign in", async () => {
    await using server = await start({ EDGE_URL: "http://localhost:9000" });
    const answer = await get(`${server.url}/config.json`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["cache-control"], "no-cache");
    assert.deepEqual(JSON.parse(answer.body), {
      edgeUrl: "http://localhost:9000",
      signIn: { kind: "development", issuerUrl: "http://localhost:8003" },
      development: true,
    });
    assert.equal((await get(`${server.url}/healthz`)).body, "ok");
  });

  it("restricts the page to itself, the edge and the sign-in provider, on every response", async () => {
    const oidc = { OIDC_AUTHORITY: "https://id.example/shop", OIDC_CLIENT_ID: "page" };
    const reaches = [
      { variables: {}, expected: "'self' http://localhost:8000 http://localhost:8003" },
      { variables: oidc, expected: "'self' http://localhost:8000 https://id.example" },
      {
        variables: { ...oidc, OIDC_ORIGINS: "https://token.example,https://user.example" },
        expected:
          "'self' http://localhost:8000 https://id.example https://token.example https://user.example",
      },
    ];
    for (const { variables, expected } of reaches) {
      await using server = await start(variables);
      for (const path of ["/", "/orders", "/assets/index-1a2b.js", "/config.json", "/no.js"]) {
        const { headers } = await get(`${server.url}${path}`);
        const policy = new Map(
          String(headers["content-security-policy"])
            .split("; ")
            .map((line) => line.split(/ (.*)/, 2) as [string, string]),
        );
        assert.equal(policy.get("connect-src"), expected);
        assert.equal(policy.get("default-src"), "'none'");
        assert.equal(policy.get("script-src"), "'self'");
        assert.equal(policy.get("style-src"), "'self'");
        assert.equal(policy.get("frame-ancestors"), "'none'");
        assert.equal(policy.get("base-uri"), "'none'");
        assert.doesNotMatch(String(headers["content-security-policy"]), /unsafe|\*|data:/);
        assert.equal(headers["x-content-type-options"], "nosniff");
        assert.equal(headers["referrer-policy"], "no-referrer");
        assert.equal(headers["cross-origin-opener-policy"], "same-origin");
      }
    }
  });

  it("serves the page for every view, revalidated, and assets as immutable", async () => {
    await using server = await start();
    for (const path of ["/", "/orders/0199-0a", "/statement?page=2", "/no/such/view/"]) {
      const answer = await get(`${server.url}${path}`);
      assert.equal(answer.status, 200);
      assert.equal(answer.body, html);
      assert.equal(answer.headers["content-type"], "text/html; charset=utf-8");
      assert.equal(answer.headers["cache-control"], "no-cache");
    }
    const asset = await get(`${server.url}/assets/index-1a2b.js`);
    assert.equal(asset.body, script);
    assert.equal(asset.headers["content-type"], "text/javascript; charset=utf-8");
    assert.match(String(asset.headers["cache-control"]), /immutable/);
  });

  it("serves no file outside the page's folder, by any path", async () => {
    await using server = await start();
    const paths = [
      "/assets/gone-3c4d.js",
      "/assets/index-1a2b.js.br",
      "/index.html",
      "/../secret.txt",
      "/assets/../../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/.env",
    ];
    for (const path of paths) {
      const answer = await get(server.url, { path });
      assert.deepEqual([answer.status, answer.body], [404, "not found"], path);
    }
  });

  it("sends compressed files to browsers that accept them, and 304 for known ones", async () => {
    await using server = await start();
    const url = `${server.url}/assets/index-1a2b.js`;
    const etags = new Set();
    const cases = [
      { accepted: "gzip, deflate, br, zstd", encoding: "br", decode: brotliDecompressSync },
      { accepted: "br;q=0, gzip;q=0.5", encoding: "gzip", decode: gunzipSync },
      { accepted: "brotli-like, gzip;q=0", encoding: undefined, decode: (body: Buffer) => body },
    ];
    for (const { accepted, encoding, decode } of cases) {
      const { headers, bytes } = await get(url, { headers: { "accept-encoding": accepted } });
      assert.equal(headers["content-encoding"], encoding);
      assert.equal(headers["content-length"], String(bytes.length));
      assert.equal(headers.vary, "accept-encoding");
      assert.equal(decode(bytes).toString(), script);
      etags.add(headers.etag);
      const again = { "accept-encoding": accepted, "if-none-match": String(headers.etag) };
      const known = await get(url, { headers: again });
      assert.deepEqual([known.status, known.body], [304, ""]);
    }
    // A weak one, which stands for the content in any encoding.
    assert.equal(etags.size, 1);
    assert.match(String([...etags]), /^W\//);
  });

  it("allows reads only, sends HEAD without a body, and ignores an invalid range", async () => {
    await using server = await start();
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      for (const path of ["/", "/config.json", "/healthz"]) {
        const answer = await get(`${server.url}${path}`, { method });
        assert.equal(answer.status, 405);
        assert.equal(answer.headers.allow, "GET, HEAD");
      }
    }
    for (const path of ["/", "/config.json", "/assets/index-1a2b.js"]) {
      const answer = await get(`${server.url}${path}`, { method: "HEAD" });
      assert.deepEqual([answer.status, answer.body], [200, ""]);
    }
    const answer = await get(`${server.url}/`, { headers: { range: "bytes=5-2" } });
    assert.deepEqual([answer.status, answer.body], [200, html]);
  });

  it("refuses to start without a page, or with a file of unknown type", async () => {
    await assert.rejects(
      start({ PAGE_FOLDER: join(folder, "elsewhere") }),
      /there is no built page in/,
    );
    const odd = join(folder, "odd");
    mkdirSync(odd);
    writeFileSync(join(odd, "index.html"), html);
    writeFileSync(join(odd, "page.wasm"), "");
    await assert.rejects(start({ PAGE_FOLDER: odd }), /the media type of .*page\.wasm is unknown/);
  });

  it("stops at once, also with a browser that keeps its connection open", async () => {
    const server = await start();
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.write("GET /healthz HTTP/1.1\r\nhost: page\r\n\r\n");
    await once(socket, "data");
    const startedMs = performance.now();
    const closed = text(socket);
    await server[Symbol.asyncDispose]();
    await closed;
    assert.ok(performance.now() - startedMs < 2_000);
    await assert.rejects(get(server.url));
  });
});

type Answer = {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly body: string;
};

/** A GET that is sent unchanged: `fetch` would normalise paths and decode responses. */
async function get(
  url: string,
  options: {
    readonly path?: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answer> {
  const sent = request(url, { ...options, agent: false });
  sent.end();
  const [response] = await once(sent, "response");
  const bytes = await buffer(response);
  return { status: response.statusCode, headers: response.headers, bytes, body: String(bytes) };
}
