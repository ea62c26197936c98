import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connectionCapPath } from "./lab.ts";

type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  proxy_on_memory_allocate(size: number): number;
  proxy_on_configure(context: number, size: number): number;
  proxy_on_new_connection(context: number): number;
  proxy_on_downstream_connection_close(context: number, by: number): void;
};

/** TypeScript declares WebAssembly for browsers only. */
const { WebAssembly: engine } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (code: Buffer) => object;
    readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
  };
};

/** Loads the filter into a host with these functions of Proxy-Wasm. */
function loadCap(cap: readonly number[]) {
  const counters = new Map<number, { count: number; version: number }>();
  let address = "";
  let closed = 0;
  const view = () => new DataView(filter.memory.buffer);
  const give = (bytes: Uint8Array, at: number, size: number) => {
    const place = filter.proxy_on_memory_allocate(bytes.length);
    new Uint8Array(filter.memory.buffer).set(bytes, place);
    view().setUint32(at, place, true);
    view().setUint32(size, bytes.length, true);
    return 0;
  };
  const env = {
    proxy_get_property: (_path: number, _size: number, at: number, size: number) =>
      give(new TextEncoder().encode(address), at, size),
    proxy_get_buffer_bytes: (
      _: number,
      _start: number,
      _length: number,
      at: number,
      size: number,
    ) => give(Uint8Array.from(cap), at, size),
    proxy_get_shared_data: (key: number, _: number, at: number, size: number, version: number) => {
      const found = counters.get(view().getUint32(key, true));
      if (!found) return 1;
      view().setUint32(version, found.version, true);
      return give(new Uint8Array(Uint32Array.of(found.count).buffer), at, size);
    },
    proxy_set_shared_data: (key: number, _: number, at: number, _size: number, version: number) => {
      const name = view().getUint32(key, true);
      const before = counters.get(name)?.version ?? 0;
      if (version !== 0 && version !== before) return 8;
      counters.set(name, { count: view().getUint32(at, true), version: before + 1 });
      return 0;
    },
    proxy_close_stream: () => {
      closed += 1;
      return 0;
    },
  };
  const module = new engine.Module(readFileSync(connectionCapPath));
  const filter = new engine.Instance(module, { env }).exports;
  assert.equal(filter.proxy_on_configure(1, cap.length), 1);
  return {
    /** Opens a connection from this address; returns whether it is allowed. */
    open(from: string): boolean {
      address = from;
      const before = closed;
      const action = filter.proxy_on_new_connection(2);
      assert.equal(action, closed - before);
      return action === 0;
    },
    close(from: string): void {
      address = from;
      filter.proxy_on_downstream_connection_close(2, 1);
    },
    counters,
  };
}

describe("the connection cap", () => {
  it("counts each IPv4 address without its port", () => {
    const cap = loadCap([8, 2]);
    assert.deepEqual(["192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "192.0.2.2:1"].map(cap.open), [
      true,
      true,
      false,
      true,
    ]);
  });

  it("counts an IPv6 address as its /64, however it is written", () => {
    const same: readonly (readonly [string, string])[] = [
      ["[2001:db8:1:2:3:4:5:6]:1", "[2001:db8:1:2:ffff::1]:2"],
      ["[2001:db8::1]:1", "[2001:db8::a:b:c:d]:1"],
      ["[2001:db8::1]:1", "[2001:db8:0:0:1::]:1"],
      ["[2001::1]:1", "[2001:0:0:0:1:2:3:4]:1"],
      ["[2001:db8:1:0:1:2:3:4]:1", "[2001:db8:1::4]:1"],
    ];
    for (const [one, other] of same) {
      const cap = loadCap([8, 1]);
      assert.deepEqual([cap.open(one), cap.open(other)], [true, false], `${one} ${other}`);
    }
    const networks = [
      "2001:db8:0:1",
      "2001:db8:0:2",
      "2001:db8:1:0",
      "2001:dbA:0:1",
      "2001:db8:0:10",
    ];
    const cap = loadCap([8, 1]);
    for (const network of networks) assert.equal(cap.open(`[${network}::1]:1`), true, network);
  });

  it("counts down when a connection closes, whether it was allowed or not", () => {
    const cap = loadCap([8, 1]);
    const from = "192.0.2.1:1";
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual([cap.open(from), cap.open(from), cap.open(from)], [true, false, false]);
      for (let n = 0; n < 3; n += 1) cap.close(from);
    }
    const open = [...cap.counters.values()].reduce((sum, { count }) => sum + count, 0);
    assert.equal(open, 0);
  });

  it("reads a cap of several bytes, and needs a bounded number of counters", () => {
    const cap = loadCap([8, 0xac, 2]);
    const opened = Array.from({ length: 310 }, () => cap.open("192.0.2.1:1"));
    assert.equal(opened.filter(Boolean).length, 300);
    for (let n = 0; n < 20_000; n += 1) cap.open(`10.0.${n >> 8}.${n & 255}:1`);
    assert.equal(cap.counters.size, 8_192);
  });
});
