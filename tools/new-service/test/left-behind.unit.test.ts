import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { linesAbout, linesLost } from "../left-behind.ts";
import { addTo, places, removeFrom } from "../places/places.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const newcomer = { name: "newcomer", port: 8104 };

describe("what removing a service leaves or loses", () => {
  for (const place of places) {
    const committed = readFileSync(join(root, place.file), "utf8");
    const text = addTo(place, committed, newcomer);

    it(`is nothing in ${place.file} without edits`, () => {
      assert.deepEqual(linesLost(place, { text, committed }, newcomer), []);
      assert.notDeepEqual(linesAbout(text, newcomer), []);
      assert.deepEqual(linesAbout(removeFrom(place, text, newcomer.name), newcomer), []);
    });
  }

  it("includes an added line, unless it is committed", () => {
    const place = places.find(({ file }) => file === "docker-compose.yml") ?? assert.fail();
    const committed = readFileSync(join(root, place.file), "utf8");
    const text = addTo(place, committed, newcomer);
    const port = /^ {4}ports: .*NEWCOMER_PORT.*\n/m;
    const edited = text.replace(port, (line) => `${line}    mem_limit: 1g\n`);
    assert.deepEqual(linesLost(place, { text: edited, committed }, newcomer), [
      "    mem_limit: 1g",
    ]);
    assert.deepEqual(linesLost(place, { text: edited, committed: edited }, newcomer), []);
  });

  it("includes other references in code, but not in comments or prose", () => {
    const text = `
# The cluster of newcomer: newcomer-http1.
    - name: newcomer-http1  # Mine.
    - name: newcomer-watch
      load_assignment: *newcomerInstances
      why: for newcomers only
    to: "newcomer"
    NEWCOMER_PORT: 1
    NEWCOMER_COUNT: 1`;
    assert.deepEqual(linesAbout(text, newcomer), [
      "3: - name: newcomer-http1  # Mine.",
      "4: - name: newcomer-watch",
      "5: load_assignment: *newcomerInstances",
      '7: to: "newcomer"',
      "8: NEWCOMER_PORT: 1",
    ]);
  });
});
