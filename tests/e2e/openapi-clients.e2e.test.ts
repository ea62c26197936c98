import assert from "node:assert/strict";
import { clients } from "../../tools/openapi-clients/clients.ts";
import { settleDocument } from "../../tools/openapi-clients/documents.ts";
import type { Stage } from "../../tools/openapi-clients/journey.ts";
import { tryClient } from "../../tools/openapi-clients/try-client.ts";
import { stages } from "../../tools/openapi-clients/verdicts.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const timeoutMs = 180_000;
/** The others need downloads: `npm run openapi:clients`. */
const chosen = clients.filter(({ onlyNode }) => onlyNode);

describe("a client generated from the OpenAPI document alone", function () {
  this.timeout(timeoutMs);
  let system: System;
  let stage: Stage;
  before(async () => {
    system = await startSystem();
    const { payments } = await system.startBoth();
    stage = { edgeUrl: system.edgeUrl, paymentsPid: payments.pid, token: tokenOf };
  });
  after(() => system?.[Symbol.asyncDispose]());

  it("finds the edge in the document, wherever it is served", async () => {
    const { ports, edgeUrl } = system;
    const documents = [
      `${edgeUrl}/swagger/v1/settle.json`,
      `${edgeUrl}/swagger/v1/payments.json`,
      `http://127.0.0.1:${ports.orders}/swagger/v1/swagger.json`,
      `http://127.0.0.1:${ports.payments}/swagger/v1/swagger.json`,
    ];
    for (const url of documents) {
      const { servers } = (await (await fetch(url)).json()) as { servers: { url: string }[] };
      const found = servers.map((server) => new URL(server.url, url).origin);
      assert.deepEqual(found, [new URL(edgeUrl).origin], url);
    }
  });

  it("is made by two generators for Node at least", () => {
    assert.ok(chosen.length >= 2);
  });

  for (const client of chosen) {
    it(`compiles and completes the journey at the edge: ${client.name}`, async () => {
      assert.deepEqual(
        await tryClient({ client, name: "settle", document: settleDocument, system: stage }),
        { client: client.name, document: "settle", passed: [...stages] },
      );
    });
  }
});
