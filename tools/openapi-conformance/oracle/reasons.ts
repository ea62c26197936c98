/**
 * The reasons why our facts and those of grpc-gateway's generator may differ. There is no fourth.
 */
export const reasons = {
  envoy: "Envoy's tested behaviour",
  specification: "the OpenAPI 3.1 specification",
  oracle: "a bug of the oracle",
} as const;

/** A difference that has been examined. */
export type Known = {
  readonly reason: keyof typeof reasons;
  readonly what: string;
  /** The test that shows it, the section of the specification, or the issue of grpc-gateway. */
  readonly evidence: string;
};

const envoyTests = "packages/protoc-gen-openapi/test/envoy.int.test.ts";
const issues = "https://github.com/grpc-ecosystem/grpc-gateway";

/** All known differences; `corrections.ts` and `compare.ts` define where each applies. */
export const known = {
  saidByPath: {
    reason: "envoy",
    what: "a field in the path is refused in the body",
    evidence: `${envoyTests}: "refuses in a body what the path says"`,
  },
  thereByPath: {
    reason: "envoy",
    what: "a message with a field in the path is present without the body",
    evidence: `${envoyTests}: "sets by the path what the body leaves out"`,
  },
  emptyBody: {
    reason: "envoy",
    what: "a body that can only be {} can be left out, so it is not documented",
    evidence: `${envoyTests}: "needs no body when the path sets all fields"`,
  },
  httpBody: {
    reason: "envoy",
    what: "google.api.HttpBody is the body itself, of any content type",
    evidence: `${envoyTests}: "takes any body as a google.api.HttpBody"`,
  },
  clientStream: {
    reason: "envoy",
    what: "a client stream is an array",
    evidence: `${envoyTests}: "takes a stream as nothing else"`,
  },
  noQueryForm: {
    reason: "envoy",
    what: "maps, repeated messages and empty messages cannot be in a query",
    evidence: `${envoyTests}: "refuses the query items=a", "has no form in a query for ..."`,
  },
  wildcard: {
    reason: "envoy",
    what: "a wildcard outside of a variable is a path parameter",
    evidence: `${envoyTests}: "finds every path of the document"`,
  },
  rivals: {
    reason: "envoy",
    what: "two methods on one path are both unreachable",
    evidence: `${envoyTests}: "calls neither of two methods on one path"`,
  },
  behindDoubleWildcard: {
    reason: "envoy",
    what: "it does not start with a path template that continues after **",
    evidence: `${envoyTests}: "does not start with a template that goes on behind ..."`,
  },
  oneofRequired: {
    reason: "specification",
    what: "`required` lists what is in every instance, and a oneof has at most one member",
    evidence: "JSON Schema 2020-12 Validation, 6.5.3; test/instances.unit.test.ts: Thing",
  },
  readOnly: {
    reason: "specification",
    what: "a readOnly property should not be sent in a request, so it is neither listed nor required there",
    evidence: "JSON Schema 2020-12 Validation, 9.4, as OpenAPI 3.1 uses it",
  },
  writeOnly: {
    reason: "specification",
    what: "a writeOnly property should not be sent in a response, so it is not required there",
    evidence: "JSON Schema 2020-12 Validation, 9.4, as OpenAPI 3.1 uses it",
  },
  endless: {
    reason: "specification",
    what: "a Parameter Object names one parameter, and a recursive message would need infinitely many",
    evidence: "OpenAPI 3.1.0, 4.8.12",
  },
  rules: {
    reason: "oracle",
    what: "protovalidate's rules are not read",
    evidence: `${issues}/issues/1093`,
  },
  nestedRequired: {
    reason: "oracle",
    what: "a required field of an optional message is marked as required in a query",
    evidence: `${issues}/pull/7180`,
  },
  streamWithPath: {
    reason: "oracle",
    what: "a client stream with a field in its path is refused, with the whole set",
    evidence: `${issues}/issues/1196`,
  },
  pathInQuery: {
    reason: "oracle",
    what: "a nested field in the path is a query parameter as well",
    evidence: "not reported",
  },
  legacyRequired: {
    reason: "oracle",
    what: "the keyword `required` of proto2 is not read",
    evidence: "not reported",
  },
} satisfies Readonly<Record<string, Known>>;
