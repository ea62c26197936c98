import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { routeOf } from "@settle/chassis/contract/routes";
import { file_events_v1_events } from "@settle/gen/events/v1/events_pb";
import { type ListedService, serviceNames, services } from "../../services/services.ts";
import { faultsOf, findFaults } from "../../tools/new-service/places/find-faults.ts";
import { addTo, namedIn, places, removeFrom } from "../../tools/new-service/places/places.ts";
import { fillIn, removeSnippet } from "../../tools/new-service/places/snippet.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Names that nobody takes, so that this holds with further services as well. */
const newcomer: ListedService = { name: "newcomer", port: 8104 };
const latecomer: ListedService = { name: "latecomer", port: 8105 };

describe("the list of services", () => {
  it("is what all files say that cannot read it", () => {
    assert.deepEqual(findFaults(root, services), []);
  });

  it("gives each service a name and a port of its own", () => {
    for (const { name } of services) assert.match(name, /^[a-z][a-z0-9]{1,29}$/);
    for (const key of ["name", "port"] as const) {
      assert.equal(new Set(services.map((service) => service[key])).size, services.length);
    }
  });

  it("has every service that the contract routes events from and to", () => {
    for (const event of file_events_v1_events.messages) {
      const { from, to, alsoTo } = routeOf(event) ?? assert.fail(event.typeName);
      for (const name of [from, ...to, ...alsoTo]) {
        assert.ok(
          serviceNames.some((listed) => listed === name),
          `${event.typeName}: ${name}`,
        );
      }
    }
  });

  it("is missed by name, in the file that lacks something", () => {
    const faults = findFaults(root, [...services, newcomer]);
    for (const fault of [
      "services/services.ts: no entry for newcomer",
      "Dockerfile: no COPY of services/newcomer/package.json",
      ".env.example: no line NEWCOMER_PORT=8104",
      "docker-compose.yml: no service newcomer-service",
      "edge/envoy.yaml: no cluster newcomer-http1",
      "services/newcomer/src/main.ts: no such file",
      "package-lock.json: no package services/newcomer",
    ]) {
      assert.ok(faults.includes(fault), fault);
    }
    const fewer = services.filter(({ name }) => name !== "payments");
    for (const file of ["docker-compose.yml", "edge/envoy.yaml", "services/", "proto/"]) {
      const fault = `${file}: payments is not in services/services.ts`;
      assert.ok(findFaults(root, fewer).includes(fault), fault);
    }
  });

  for (const place of places) {
    const text = readFileSync(`${root}/${place.file}`, "utf8");

    it(`finds all that is missing in ${place.file}`, () => {
      for (const service of services) {
        for (const snippet of place.snippets) {
          const less = removeSnippet(text, snippet, service.name);
          assert.notEqual(less, text);
          assert.equal(faultsOf(place, less, services).length, 1, snippet.what);
        }
      }
    });

    it(`finds that a line as deep as the first is missing in ${place.file}`, () => {
      const [service] = services;
      for (const { text: snippet, what } of place.snippets) {
        const [first = "", ...more] = fillIn(snippet, service).split("\n");
        for (const line of more.filter((one) => one.search(/\S/) === first.search(/\S/))) {
          const faults = faultsOf(place, text.replace(`${line}\n`, ""), [service]);
          assert.deepEqual(faults, [`${place.file}: no ${fillIn(what, service)}`]);
        }
      }
    });

    it(`adds services to ${place.file}, and takes them out in any order`, () => {
      const one = addTo(place, text, newcomer);
      const both = addTo(place, one, latecomer);
      assert.deepEqual(faultsOf(place, both, [...services, newcomer, latecomer]), []);
      assert.ok(namedIn(place, both).has("latecomer"));
      assert.equal(removeFrom(place, both, "latecomer"), one);
      assert.equal(removeFrom(place, removeFrom(place, both, "newcomer"), "latecomer"), text);
    });
  }
});
