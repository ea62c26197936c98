import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { serviceNodeOptions } from "../../../../services/services.ts";
import { TransientMap } from "../../src/base/transient-map.ts";

const churn = fileURLToPath(new URL("transient-map-churn.ts", import.meta.url));

describe("TransientMap", () => {
  it("keeps what is set until it is deleted", () => {
    const map = new TransientMap<string>().set(7, "seven").set(3, "three").set(7, "again");
    assert.equal(map.size, 2);
    assert.equal(map.get(7), "again");
    assert.equal(map.get(8), undefined);
    assert.deepEqual(map.keys(), [3, 7]);
    assert.deepEqual(map.values(), ["three", "again"]);
    assert.equal(map.delete(7), true);
    assert.equal(map.delete(7), false);
    assert.equal(map.get(7), undefined);
    assert.equal(map.size, 1);
  });

  it("can be changed while it is visited", () => {
    const map = new TransientMap<number>();
    for (const key of [1, 2, 3]) map.set(key, key);
    const visited: number[] = [];
    map.forEach((value) => {
      visited.push(value);
      map.delete(value);
      map.set(value + 3, value + 3);
    });
    assert.deepEqual(visited, [1, 2, 3]);
    assert.deepEqual(map.keys(), [4, 5, 6]);
  });

  it("lets its entries be collected young, unlike a Map, with the options of the services", async () => {
    const partPromoted = async (kind: string) => {
      const args = [...serviceNodeOptions, "--expose-gc", churn, kind];
      return Number((await promisify(execFile)(process.execPath, args)).stdout);
    };
    const [map, transient] = [await partPromoted("Map"), await partPromoted("TransientMap")];
    assert.ok(transient < 0.05, `a part of ${transient} was kept`);
    // Otherwise V8 has mended its Map, and this class is no longer needed.
    assert.ok(map > 0.2, `a Map kept only a part of ${map}`);
  });
});
