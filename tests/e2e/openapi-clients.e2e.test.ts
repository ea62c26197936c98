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
