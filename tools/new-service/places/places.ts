import type { ListedService } from "../../../services/services.ts";
import { addSnippet, fillIn, hasSnippet, namesIn, removeSnippet, type Snippet } from "./snippet.ts";

/** A file that cannot read the list of services, and the snippets it must contain for each. */
export type Place = {
  readonly file: string;
  readonly snippets: readonly Snippet[];
};

/** The files that name every service, except package-lock.json and the routes of events. */
export const places: readonly Place[] = [
  {
    file: "services/services.ts",
    snippets: [
      {
        what: "entry for {name}",
        text: '  { name: "{name}", port: {port} },\n',
      },
    ],
  },
  {
    file: "Dockerfile",
    snippets: [
      {
        what: "COPY of services/{name}/package.json",
        text: "COPY services/{name}/package.json services/{name}/\n",
      },
    ],
  },
  {
    file: ".env.example",
    snippets: [
      {
        what: "line {NAME}_PORT={port}",
        text: "{NAME}_PORT={port}\n",
        others: ["web", "edge", "auth", "postgres", "rabbitmq"],
      },
      {
        what: "lines {NAME}_DB_PASSWORD and {NAME}_AMQP_PASSWORD",
        others: ["postgres", "rabbitmq"],
        text: "{NAME}_DB_PASSWORD=development-only\n{NAME}_AMQP_PASSWORD=development-only\n",
      },
    ],
  },
  {
    file: "docker-compose.yml",
    snippets: [
      {
        what: "passwords of {name} for provision",
        text: `      {NAME}_DB_PASSWORD: \${{NAME}_DB_PASSWORD:-development-only}
      {NAME}_AMQP_PASSWORD: \${{NAME}_AMQP_PASSWORD:-development-only}
`,
      },
      {
        what: "service {name}-service",
        isSpaced: true,
        text: `  {name}-service:
    <<: *service
    build: { context: ., target: service, args: { SERVICE: {name} } }
    environment:
      <<: *service-environment
      DATABASE_URL: postgres://{name}:\${{NAME}_DB_PASSWORD:-development-only}@postgres:5432/{name}
      AMQP_URL: amqp://{name}:\${{NAME}_AMQP_PASSWORD:-development-only}@rabbitmq:5672/settle
    ports: ["127.0.0.1:\${{NAME}_PORT:-{port}}:8080"]
`,
      },
    ],
  },
  {
    file: "edge/envoy.yaml",
    snippets: [
      {
        what: "setting {name} with an instance at port {port}",
        key: "    {name}: &{name} [",
        text: `    {name}: &{name} [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: {port} } } } }]
`,
      },
      {
        what: "{name}.v1.{Name}Service among the services of the transcoder",
        text: "                                - {name}.v1.{Name}Service\n",
      },
      {
        what: 'route "rest {name}"',
        others: ["unknown"],
        text: `                        - name: rest {name}
                          match: { path_separated_prefix: /gateway/{name} }
                          route: &to{Name} { cluster: {name}, host_rewrite_literal: {name}, timeout: *unaryTimeout }
                          typed_per_filter_config: *transcoded
`,
      },
      {
        what: 'routes "grpc {name}" and "connect {name}"',
        others: ["reflection"],
        text: `                        - name: grpc {name}
                          match: { prefix: /{name}.v1.{Name}Service/, headers: *grpcContent }
                          route: *to{Name}
                          typed_per_filter_config: *limited
                        - name: connect {name}
                          match: { prefix: /{name}.v1.{Name}Service/ }
                          route: { cluster: {name}-http1, host_rewrite_literal: {name}, timeout: *unaryTimeout }
                          typed_per_filter_config: *compressed
`,
      },
      {
        what: "cluster {name}",
        isSpaced: true,
        others: ["edge", "metrics", "admin", "issuer"],
        text: `    - name: {name}
      type: STRICT_DNS
      dns_lookup_family: V4_PREFERRED
      connect_timeout: 1s
      per_connection_buffer_limit_bytes: 32768
      load_assignment: &{name}Instances
        cluster_name: {name}
        endpoints: [{ lb_endpoints: *{name} }]
      common_lb_config: *anyHealthy
      circuit_breakers: *breakers
      health_checks: *grpcHealth
      typed_extension_protocol_options: *http2
`,
      },
      {
        what: "cluster {name}-http1",
        isSpaced: true,
        text: `    - name: {name}-http1
      type: STRICT_DNS
      dns_lookup_family: V4_PREFERRED
      connect_timeout: 1s
      per_connection_buffer_limit_bytes: 32768
      load_assignment: *{name}Instances
      common_lb_config: *anyHealthy
      circuit_breakers: *http1Breakers
      health_checks: *httpHealth
      typed_extension_protocol_options: *http1
`,
      },
    ],
  },
];

/** Words in these files in the position of a service name, which no service may use as its name. */
export const takenByFiles: readonly string[] = places.flatMap(({ snippets }) =>
  snippets.flatMap(({ others = [] }) => others),
);

/** Describes the snippets of the service that are missing or incomplete in the text. */
export function missingIn(place: Place, text: string, service: ListedService): readonly string[] {
  return place.snippets
    .filter((snippet) => !hasSnippet(text, snippet, service))
    .map(({ what }) => fillIn(what, service));
}

/** Returns the names of the services that have a snippet in the text. */
export function namedIn({ snippets }: Place, text: string): ReadonlySet<string> {
  return new Set(snippets.flatMap((snippet) => namesIn(text, snippet)));
}

/** Adds all snippets of the service to the text. */
export function addTo({ snippets }: Place, text: string, service: ListedService): string {
  return snippets.reduce((so, snippet) => addSnippet(so, snippet, service), text);
}

/** Removes all snippets of the service from the text. */
export function removeFrom({ snippets }: Place, text: string, name: string): string {
  return snippets.reduce((so, snippet) => removeSnippet(so, snippet, name), text);
}
