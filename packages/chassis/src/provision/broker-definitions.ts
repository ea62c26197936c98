/** Builds the exchanges, queues, bindings and policies of RabbitMQ's definitions. */

import { batchKeyOf } from "../contract/topology.ts";

/** A durable exchange. */
export function exchange(name: string, type: "topic" | "direct" | "fanout") {
  return { name, type, durable: true, auto_delete: false, internal: false, arguments: {} };
}

/** A quorum queue without any other argument: policies set the rest. */
export function queue(name: string) {
  return {
    name,
    durable: true,
    auto_delete: false,
    arguments: { "x-queue-type": "quorum" },
  };
}

/** A binding from the exchange `source` to the queue `destination`. */
export function binding(source: string, destination: string, routingKey: string) {
  return {
    source,
    destination,
    destination_type: "queue",
    routing_key: routingKey,
    arguments: {},
  };
}

/** The bindings for events of `type`: alone and in batches. */
export function eventBindings(source: string, destination: string, type: string) {
  return [type, batchKeyOf(type)].map((key) => binding(source, destination, key));
}

/** A policy for the one queue `name`. */
export function policy(name: string, definition: Readonly<Record<string, string | number>>) {
  return {
    name,
    pattern: matching(quoted(name)),
    "apply-to": "queues",
    priority: 10,
    definition,
  };
}

/**
 * A pattern that matches a whole text by any of `patterns`; without patterns it matches only "".
 */
export function matching(...patterns: readonly string[]): string {
  return `^(${patterns.join("|")})$`;
}

/** A pattern for `name` itself. */
export function quoted(name: string): string {
  return name.replaceAll(".", "\\.");
}
