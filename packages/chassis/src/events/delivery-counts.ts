import type { DescMessage } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import type { Delivery } from "../broker/broker.ts";
import { timeOfId } from "../contract/message-id.ts";
import { eventLag, receivedEvents } from "../metrics/metrics.ts";

/** What became of a delivered event; see the metric `settle_events_received_total`. */
const outcomes = [
  "handled",
  "duplicate",
  "retried",
  "set_aside",
  "sent_alone",
  "dead_letter",
  "left",
] as const;
export type DeliveryOutcome = (typeof outcomes)[number];

/** Creates the counts of the events of these types. Other types count as one. */
export function createDeliveryCounts(schemas: readonly DescMessage[], clock: Clock) {
  const types = new Set(schemas.map(({ typeName }) => typeName));
  // From zero, or Prometheus would not notice the first of a kind.
  for (const type of [...types, "unknown"]) {
    for (const outcome of outcomes) receivedEvents.inc({ type, outcome }, 0);
  }
  const typeOf = ({ type }: Delivery) => (type && types.has(type) ? type : "unknown");
  return (delivery: Delivery, outcome: DeliveryOutcome) => {
    const type = typeOf(delivery);
    receivedEvents.inc({ type, outcome });
    if (outcome !== "handled") return;
    const createdMs = timeOfId(delivery.messageId ?? "");
    const lagMs = clock.nowMs() - (createdMs ?? Number.NaN);
    if (lagMs >= 0) eventLag.observe({ type }, lagMs / 1_000);
  };
}
