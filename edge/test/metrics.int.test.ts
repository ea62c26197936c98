import assert from "node:assert/strict";
import { type Lab, startLab } from "./lab.ts";

describe("the metrics of the edge", () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab?.[Symbol.asyncDispose]());

  it("are those of its admin interface", async () => {
    const response = await fetch(`${lab.metricsUrl}/stats/prometheus?usedonly`);
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.match(text, /^# TYPE envoy_cluster_membership_healthy gauge$/m);
    assert.match(text, /^envoy_cluster_membership_healthy\{.*"orders"\} 1$/m);
  });

  it("are all of that interface that can be reached", async () => {
    for (const [method, path] of [
      ["POST", "/stats/prometheus"],
      ["POST", "/quitquitquit"],
      ["GET", "/"],
      ["GET", "/stats"],
      ["GET", "/config_dump"],
      ["GET", "/stats/prometheus/../../config_dump"],
      ["GET", "/stats/prometheus%2f..%2f..%2fconfig_dump"],
    ] as const) {
      const response = await fetch(`${lab.metricsUrl}${path}`, { method });
      assert.equal(response.status, 404, `${method} ${path}`);
      assert.equal(await response.text(), "GET /stats/prometheus\n");
    }
    assert.ok((await lab.ask("GET", "/stats/prometheus")).status === 404, "not at the edge itself");
  });
});
