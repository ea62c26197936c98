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
/** Names that no service of this repository has. */
const newcomer: ListedService = { name: "newcomer", port: 8104 };
const latecomer: ListedService = { name: "latecomer", port: 8105 };

describe("the list of services", () => {
  it("matches every file that cannot read it", () => {
    assert.deepEqual(findFaults(root, services), []);
  });

  it("gives each service a name and a port of its own", () => {
    for (const { name } of services) assert.match(name, /^[a-z][a-z0-9]{1,29}$/);
    for (const key of ["name", "port"] as const) {
      assert.equal(new Set(services.map((service) => service[key])).size, services.length);
    }
  });

  it("has every publisher and consumer of the events in the contract", () => {
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

  it("is compared with each file, which is named with what it lacks", () => {
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

    it(`finds that a line which names the service is missing in ${place.file}`, () => {
      const [service] = services;
      for (const { text: snippet, what } of place.snippets) {
        for (const template of snippet.split("\n").slice(1)) {
          const line = fillIn(template, service);
          if (line === template) continue;
          const at = text.indexOf(
            `${line}\n`,
            text.indexOf(fillIn(snippet, service).split("\n")[0] ?? ""),
          );
          const less = text.slice(0, at) + text.slice(at + line.length + 1);
          const faults = faultsOf(place, less, [service]);
          assert.deepEqual(faults, [`${place.file}: no ${fillIn(what, service)}`], line);
        }
      }
    });

    it(`adds services to ${place.file}, and removes them in any order`, () => {
      const one = addTo(place, text, newcomer);
      const both = addTo(place, one, latecomer);
      assert.deepEqual(faultsOf(place, both, [...services, newcomer, latecomer]), []);
      assert.ok(namedIn(place, both).has("latecomer"));
      assert.equal(removeFrom(place, both, "latecomer"), one);
      assert.equal(removeFrom(place, removeFrom(place, both, "newcomer"), "latecomer"), text);
    });
  }
});
