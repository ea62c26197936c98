import { info, jsonObject, readBaseFile } from "@settle/proto-schemas/plugin/base-file";
import * as z from "zod";

/** The methods that a header applies to: by kind, or by full name. */
const methods = z.union([
  z.enum(["all", "mutations"]),
  z.array(z.string().regex(/^[\w.]+\.\w+$/)).readonly(),
]);

const header = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9-]+$/),
  methods: methods.default("all"),
  description: z.string(),
  schema: jsonObject,
});

const base = z.strictObject({
  /** The `info` of the merged document: title, version, licence and so on. */
  info,
  servers: z.array(jsonObject).readonly().optional(),
  /** The contents of `components.securitySchemes`. */
  securitySchemes: jsonObject.optional(),
  /** The security requirements of all methods; none by default. */
  security: z.array(jsonObject).readonly().optional(),
  access: z
    .strictObject({
      /**
       * A method option whose message has `bool owner` and `string scope`; either permits a call.
       */
      extension: z.string(),
      /** The security scheme of the scopes. */
      scheme: z.string(),
    })
    .optional(),
  errors: z
    .strictObject({
      /**
       * A method option: a list of values of an enum. The comment of each value starts with its
       * google.rpc.Code and can name the HTTP status: `RESOURCE_EXHAUSTED with HTTP status 413:
       * ...`
       */
      extension: z.string(),
      /** Reasons that any method can return, by the names of the enum values. */
      common: z.array(z.string()).readonly().default([]),
      /** The messages that the details of an error can contain. */
      details: z.array(z.string()).readonly().default([]),
    })
    .optional(),
  /** Headers of requests. */
  requestHeaders: z.array(header).readonly().default([]),
  /** Headers of all responses, or of those with a status such as `2XX` or `429`. */
  responseHeaders: z
    .array(header.extend({ statuses: z.array(z.string()).readonly().optional() }))
    .readonly()
    .default([]),
  /** How a stream reports an error after its first message. */
  streamErrors: z.string().default("An error after the first message is not reported."),
});

/** The parts of documents that are not in the protos; the same for all packages. */
export type Base = z.infer<typeof base>;

/** A header in the base file. */
export type Header = z.infer<typeof header>;

/** Reads a base file; without one, returns the default. Throws with the file and each error. */
export function readBase(file: string | undefined): Base {
  return readBaseFile(base, file);
}
