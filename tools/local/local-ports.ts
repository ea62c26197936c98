import { type ServiceName, services, variableOf } from "../../services/services.ts";

/** A port of the stack: its variable, its default, and the program that listens on it. */
export type LocalPort = {
  readonly variable: string;
  readonly fallback: number;
  readonly what: string;
};

const frontPorts = {
  page: { variable: "WEB_PORT", fallback: 5173, what: "the page" },
  edge: { variable: "EDGE_PORT", fallback: 8000, what: "the edge (Envoy)" },
} satisfies Readonly<Record<string, LocalPort>>;
const serverPorts = {
  auth: { variable: "AUTH_PORT", fallback: 8003, what: "the development issuer" },
  postgres: { variable: "POSTGRES_PORT", fallback: 5433, what: "PostgreSQL" },
  amqp: { variable: "RABBITMQ_PORT", fallback: 5672, what: "RabbitMQ" },
  management: {
    variable: "RABBITMQ_MANAGEMENT_PORT",
    fallback: 15672,
    what: "RabbitMQ's management API",
  },
} satisfies Readonly<Record<string, LocalPort>>;

/** Ports for Prometheus. Those of services follow from their other ports. */
const metricsPorts = {
  edgeMetrics: { variable: "EDGE_METRICS_PORT", fallback: 9100, what: "metrics of the edge" },
  pageMetrics: { variable: "WEB_METRICS_PORT", fallback: 9098, what: "metrics of the page" },
  provisionerMetrics: {
    variable: "PROVISIONER_METRICS_PORT",
    fallback: 9099,
    what: "metrics of the provisioner",
  },
  prometheus: { variable: "PROMETHEUS_PORT", fallback: 9090, what: "Prometheus" },
  rabbitmqMetrics: {
    variable: "RABBITMQ_METRICS_PORT",
    fallback: 15692,
    what: "metrics of RabbitMQ",
  },
} satisfies Readonly<Record<string, LocalPort>>;
const serviceMetricsOffset = 1_100;

export type PortName =
  | keyof typeof frontPorts
  | ServiceName
  | keyof typeof serverPorts
  | keyof typeof metricsPorts
  | `${ServiceName}Metrics`;

/** The ports of the stack; those of services by service name. */
export const localPorts = {
  ...frontPorts,
  ...Object.fromEntries(
    services.map(({ name, port }) => [
      name,
      { variable: variableOf(name, "PORT"), fallback: port, what: name },
    ]),
  ),
  ...serverPorts,
  ...Object.fromEntries(
    services.map(({ name, port }) => [
      `${name}Metrics`,
      {
        variable: variableOf(name, "METRICS_PORT"),
        fallback: port + serviceMetricsOffset,
        what: `metrics of ${name}`,
      },
    ]),
  ),
  ...metricsPorts,
} as Readonly<Record<PortName, LocalPort>>;
