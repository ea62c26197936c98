import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { localPorts } from "../local-ports.ts";
import { findFreePorts, isListening, otherPort, whyPortIsTaken } from "../ports.ts";

describe("ports", () => {
  it("in use are reported with their process", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    assert.equal(await isListening(port), true);
    const why = await whyPortIsTaken(port);
    assert.match(why ?? "", new RegExp(`^it is taken by process ${process.pid}: .*node`));
    server.close();
    await once(server, "close");
    assert.equal(await whyPortIsTaken(port), undefined);
    assert.equal(await isListening(port), false);
  });

  it("that are taken have a suggested replacement that nothing else of the system uses", () => {
    const defaults = Object.values(localPorts).map(({ fallback }) => fallback);
    const others = defaults.map(otherPort);
    assert.equal(new Set([...defaults, ...others]).size, 2 * defaults.length);
    assert.equal(otherPort(65_535), 45_535);
  });

  it("can be found that are free and different", async () => {
    const ports = await findFreePorts(3);
    assert.equal(new Set(ports).size, 3);
    for (const port of ports) assert.equal(await whyPortIsTaken(port), undefined);
  });
});
