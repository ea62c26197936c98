import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPythonPackages } from "../../tools/local/fetch/python-packages.ts";
import { runTool } from "../../tools/local/process/run-tool.ts";
import { type System, startSystem } from "../harness/system/system.ts";
import { tokenOf } from "../harness/system/tokens.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const client = join(root, "tests/clients/python");
const installTimeoutMs = 120_000;
const tourTimeoutMs = 60_000;
/** The files of the contract for the client; protoc finds their imports. */
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

describe("a Python client of stock grpcio and our protos", function () {
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

  it("completes the tour at the edge", async () => {
    const libraries = await installPythonPackages({
      requirements: join(client, "requirements.txt"),
      env: process.env,
      cacheDir: join(root, ".cache"),
    });
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
