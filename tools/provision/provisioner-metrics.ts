import { counter } from "@settle/chassis/metrics/registry";

export const looks = counter({
  name: "settle_provisioner_looks_total",
  help: "Looks of the provisioner at the broker, by result: `ok` or `failed`.",
  labels: ["result"],
});

export const restored = counter({
  name: "settle_provisioner_restored_total",
  help: "Queues, exchanges, bindings and policies that were missing and are back.",
});
