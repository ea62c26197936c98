/**
 * `npm run bench:json`: measures how long a service takes to read one CreateOrder request of 105
 * bytes of JSON, strictly as it does and as protobuf-es alone does, and the same message in binary.
 * Prints the median of nine rounds, which alternate.
 */
import { fromBinary, fromJsonString, toBinary } from "@bufbuild/protobuf";
import { readRequestJson } from "@settle/chassis/contract/request-json";
import { CreateOrderRequestSchema as schema } from "@settle/gen/orders/v1/orders_service_pb";
import { median } from "./statistics.ts";

const rounds = 9;
const readsPerRound = 100_000;

const json = Buffer.from(
  '{"userId":"alice","amount":{"minorUnits":"250","currency":"EUR"},"description":"two tickets for tonight"}',
);
const binary = toBinary(schema, fromJsonString(schema, json.toString()));
const ways: Readonly<Record<string, () => unknown>> = {
  "strict JSON": () => readRequestJson(schema, json),
  "JSON by protobuf-es": () => fromJsonString(schema, json.toString()),
  binary: () => fromBinary(schema, binary),
};

const times = new Map(Object.keys(ways).map((name): [string, number[]] => [name, []]));
// The first round is for the compiler.
for (let round = 0; round <= rounds; round += 1) {
  for (const [name, read] of Object.entries(ways)) {
    const startMs = performance.now();
    for (let count = 0; count < readsPerRound; count += 1) read();
    const microseconds = ((performance.now() - startMs) * 1_000) / readsPerRound;
    if (round > 0) times.get(name)?.push(microseconds);
  }
}
for (const [name, all] of times) console.log(`${name.padEnd(20)} ${median(all).toFixed(2)} µs`);
