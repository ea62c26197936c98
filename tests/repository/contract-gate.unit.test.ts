import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { latestRelease } from "../../tools/release/releases.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const release = join(root, latestRelease(root), "image.binpb");

/** Applies `change` to a copy of the released contract and returns the result of the gate. */
function judge(change: (files: readonly FileDescriptorProto[]) => void): {
  passed: boolean;
  complaint: string;
} {
  const copy = fromBinary(FileDescriptorSetSchema, readFileSync(release));
  change(copy.file);
  const folder = mkdtempSync(join(tmpdir(), "settle-contract-"));
  try {
    const image = join(folder, "copy.binpb");
    writeFileSync(image, toBinary(FileDescriptorSetSchema, copy));
    const gate = ["breaking", image, "--against", release, "--config", "buf.yaml"];
    const { status, stdout, error } = spawnSync("buf", gate, { cwd: root, encoding: "utf8" });
    if (error) throw error;
    return { passed: status === 0, complaint: stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fileOf(files: readonly FileDescriptorProto[], name: string): FileDescriptorProto {
  const file = files.find((candidate) => candidate.name === name);
  assert.ok(file, `the release contains ${name}`);
  return file;
}

function messageOf(files: readonly FileDescriptorProto[], file: string, name: string) {
  const message = fileOf(files, file).messageType.find((candidate) => candidate.name === name);
  assert.ok(message, `${file} contains ${name}`);
  return message;
}

function removeField(message: DescriptorProto, name: string): void {
  message.field = message.field.filter((field) => field.name !== name);
}

describe("the contract gate", () => {
  it("accepts the released contract", () => {
    assert.deepEqual(
      judge(() => {}),
      { passed: true, complaint: "" },
    );
  });

  it("accepts a new field", () => {
    const { passed } = judge((files) => {
      const order = messageOf(files, "orders/v1/order.proto", "Order");
      const [id] = order.field;
      assert.ok(id);
      order.field.push({ ...id, name: "note", jsonName: "note", number: 99 });
    });
    assert.ok(passed);
  });

  const breaches: [string, (files: readonly FileDescriptorProto[]) => void, RegExp][] = [
    [
      "a removed method",
      (files) => {
        const [service] = fileOf(files, "payments/v1/payments_service.proto").service;
        assert.ok(service);
        service.method = service.method.filter((method) => method.name !== "GetPayment");
      },
      /"GetPayment".*deleted/,
    ],
    [
      "a removed field of an event",
      (files) =>
        removeField(messageOf(files, "events/v1/events.proto", "PaymentResultEvent"), "outcome"),
      /"outcome".*"PaymentResultEvent".*deleted/,
    ],
    [
      "a field with another JSON name",
      (files) => {
        const [id] = messageOf(files, "orders/v1/order.proto", "Order").field;
        assert.ok(id);
        id.jsonName = "orderId";
      },
      /json_name/,
    ],
    [
      "a removed reason",
      (files) => {
        const [reasons] = fileOf(files, "errors/v1/errors.proto").enumType;
        assert.ok(reasons);
        reasons.value = reasons.value.filter((value) => !value.name.endsWith("_RATE_LIMITED"));
      },
      /enum value "16"/,
    ],
  ];
  for (const [what, change, complaint] of breaches) {
    it(`rejects ${what}`, () => {
      const verdict = judge(change);
      assert.equal(verdict.passed, false);
      assert.match(verdict.complaint, complaint);
    });
  }
});
