/** Why what we say and what grpc-gateway's generator says may differ. There is no fourth reason. */
export const reasons = {
  envoy: "Envoy's tested behaviour",
  specification: "the OpenAPI 3.1 specification",
  oracle: "a bug of the oracle",
} as const;

/** A difference that has been looked at. */
export type Known = {
  readonly reason: keyof typeof reasons;
  readonly what: string;
  /** The test that shows it, the place in the specification, or the oracle's issue. */
  readonly evidence: string;
};

const envoyTests = "packages/protoc-gen-openapi/test/envoy.int.test.ts";
const issues = "https://github.com/grpc-ecosystem/grpc-gateway";

/** All of them; `corrections.ts` and `compare.ts` say to what each applies. */
export const known = {
  saidByPath: {
    reason: "envoy",
    what: "a field that the path says is refused in the body",
    evidence: `${envoyTests}: "refuses in a body what the path says"`,
  },
  thereByPath: {
    reason: "envoy",
    what: "a message of which the path says a field is there without the body",
    evidence: `${envoyTests}: "sets by the path what the body leaves out"`,
  },
  httpBody: {
    reason: "envoy",
    what: "google.api.HttpBody is the content itself, of any type",
    evidence: `${envoyTests}: "takes any body as a google.api.HttpBody"`,
  },
  clientStream: {
    reason: "envoy",
    what: "a client's stream is an array",
    evidence: `${envoyTests}: "takes a stream as nothing else"`,
  },
  noQueryForm: {
    reason: "envoy",
    what: "maps, repeated and empty messages have no form in a query",
    evidence: `${envoyTests}: "refuses the query items=a", "has no form in a query for ..."`,
  },
  wildcard: {
    reason: "envoy",
    what: "a wildcard outside of a variable is a place for a value",
    evidence: `${envoyTests}: "finds every path of the document"`,
  },
  rivals: {
    reason: "envoy",
    what: "of two methods on one path neither is called",
    evidence: `${envoyTests}: "calls neither of two methods on one path"`,
  },
  behindDoubleWildcard: {
    reason: "envoy",
    what: "with a template that goes on behind ** it does not start",
    evidence: `${envoyTests}: "does not start with a template that goes on behind ..."`,
  },
  oneofRequired: {
    reason: "specification",
    what: "`required` names what is in every instance, a oneof has one member at most",
    evidence: "JSON Schema 2020-12 Validation, 6.5.3; test/instances.unit.test.ts: Thing",
  },
  readOnly: {
    reason: "specification",
    what: "what is readOnly should not be sent in a request, so it is neither asked for nor required",
    evidence: "JSON Schema 2020-12 Validation, 9.4, as OpenAPI 3.1 uses it",
  },
  writeOnly: {
    reason: "specification",
    what: "what is writeOnly should not be sent in an answer, so it is not required there",
    evidence: "JSON Schema 2020-12 Validation, 9.4, as OpenAPI 3.1 uses it",
  },
  endless: {
    reason: "specification",
    what: "a Parameter Object names one parameter: of a message inside itself there is no end",
    evidence: "OpenAPI 3.1.0, 4.8.12",
  },
  rules: {
    reason: "oracle",
    what: "protovalidate's rules are not read",
    evidence: `${issues}/issues/1093`,
  },
  nestedRequired: {
    reason: "oracle",
    what: "a required field of a message that may be left out is called required in a query",
    evidence: `${issues}/pull/7180`,
  },
  streamWithPath: {
    reason: "oracle",
    what: "a client's stream whose path says a field is refused, with the whole set",
    evidence: `${issues}/issues/1196`,
  },
  pathInQuery: {
    reason: "oracle",
    what: "a field of a nested message that the path says is a query parameter as well",
    evidence: "not reported",
  },
  legacyRequired: {
    reason: "oracle",
    what: "proto2's required is not read",
    evidence: "not reported",
  },
} satisfies Readonly<Record<string, Known>>;
