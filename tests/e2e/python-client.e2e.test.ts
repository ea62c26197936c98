import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fillOnce } from "../../tools/local/fill-once.ts";
import { runTool } from "../../tools/local/run-tool.ts";
import { type System, startSystem } from "../system.ts";
import { tokenOf } from "../tokens.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const client = join(root, "tests/clients/python");
const requirements = join(client, "requirements.txt");
const installTimeoutMs = 120_000;
const tourTimeoutMs = 60_000;
/** The files of the contract that the client is made from; protoc finds what they import. */
const protos = [
  "orders/v1/orders_service.proto",
  "orders/v1/order.proto",
  "payments/v1/payments_service.proto",
  "payments/v1/account.proto",
  "payments/v1/payment.proto",
  "money/v1/money.proto",
  "errors/v1/errors.proto",
  "buf/validate/validate.proto",
];

describe("a client in Python, of stock grpcio and our protos", function () {
  this.timeout(installTimeoutMs + tourTimeoutMs);
  let system: System;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "settle-python-"));
    system = await startSystem();
    await system.startBoth();
  });
  after(async () => {
    await system?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const python = (args: readonly string[], env: NodeJS.ProcessEnv, timeoutMs: number) =>
    runTool("python3", args, { env: { ...process.env, ...env }, timeoutMs });

  /** Brings grpcio and protoc into the cache, once for these requirements and this Python. */
  const install = async (): Promise<string> => {
    const version = await python(["-V"], {}, tourTimeoutMs);
    const key = createHash("sha256").update(version).update(readFileSync(requirements));
    const place = join(root, ".cache/python-client", key.digest("hex").slice(0, 16));
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    pip.push("--only-binary=:all:", "--no-warn-script-location", "--requirement", requirements);
    return fillOnce(place, async (partial) => {
      await python([...pip, "--target", partial], {}, installTimeoutMs);
    });
  };

  it("goes through the tour at the edge", async () => {
    const libraries = await install();
    const generated = join(folder, "generated");
    mkdirSync(generated);
    const descriptors = join(root, "gen/envoy/descriptors.binpb");
    await python(
      [
        "-m",
        "grpc_tools.protoc",
        `--descriptor_set_in=${descriptors}`,
        `--python_out=${generated}`,
        `--grpc_python_out=${generated}`,
        ...protos,
      ],
      { PYTHONPATH: libraries },
      tourTimeoutMs,
    );
    const printed = await python(
      [join(client, "tour.py"), new URL(system.edgeUrl).host],
      {
        PYTHONPATH: [generated, libraries].join(":"),
        USER_ID: "pythonista",
        TOKEN: await tokenOf("pythonista"),
        ADMIN_TOKEN: await tokenOf("carol", ["admin"]),
      },
      tourTimeoutMs,
    );
    assert.equal(printed, "the tour is as the contract says\n");
  });
});
