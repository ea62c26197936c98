import { info, jsonObject, readBaseFile } from "@settle/proto-schemas/base-file";
import * as z from "zod";

/** Which methods something holds for: by what they do, or by their full names. */
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
  /** Title, version, licence and so on: what `info` of the merged document holds. */
  info,
  servers: z.array(jsonObject).readonly().optional(),
  /** What `components.securitySchemes` holds. */
  securitySchemes: jsonObject.optional(),
  /** What every method needs; without it methods need nothing. */
  security: z.array(jsonObject).readonly().optional(),
  access: z
    .strictObject({
      /** A method option of a message with `bool owner` and `string scope`: either is enough. */
      extension: z.string(),
      /** The security scheme that a scope is one of. */
      scheme: z.string(),
    })
    .optional(),
  errors: z
    .strictObject({
      /**
       * A method option, a list of an enum of reasons. The comment of a reason begins with its
       * google.rpc.Code and may name the HTTP status: `RESOURCE_EXHAUSTED with HTTP status 413: ...`
       */
      extension: z.string(),
      /** Reasons any method may answer with, by the names of their values. */
      common: z.array(z.string()).readonly().default([]),
      /** The messages an error's details are known to hold. */
      details: z.array(z.string()).readonly().default([]),
    })
    .optional(),
  /** Headers that callers may send. */
  requestHeaders: z.array(header).readonly().default([]),
  /** Headers of answers, on all of them or on those with a status such as `2XX` or `429`. */
  responseHeaders: z
    .array(header.extend({ statuses: z.array(z.string()).readonly().optional() }))
    .readonly()
    .default([]),
  /** How a stream tells of an error after its first message. */
  streamErrors: z.string().default("An error after the first message is not reported."),
});

/** What no proto says and documents hold nevertheless; the same for all packages. */
export type Base = z.infer<typeof base>;

/** A header as the base describes it. */
export type Header = z.infer<typeof header>;

/** Reads a base, or gives the empty one; throws an error that names the file and each fault. */
export function readBase(file: string | undefined): Base {
  return readBaseFile(base, file);
}
