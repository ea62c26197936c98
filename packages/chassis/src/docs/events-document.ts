/** The part of a JSON schema that the page shows. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly allOf?: readonly Schema[];
};

/** An event, as an AsyncAPI message object. */
export type EventMessage = {
  readonly name: string;
  readonly title: string;
  readonly summary?: string;
  readonly description?: string;
  readonly contentType: string;
  readonly payload: Schema;
  readonly headers?: Schema;
  readonly examples?: readonly { readonly payload: unknown }[];
  readonly "x-amqp-properties": Schema;
  readonly "x-protobuf": { readonly message: string; readonly file: string };
};

type Refs = readonly { readonly $ref: string }[];

/** The part of the document of packages/protoc-gen-asyncapi that the page shows. */
export type EventsDocument = {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
  };
  readonly channels: Readonly<
    Record<
      string,
      {
        readonly address: string;
        readonly messages: Readonly<Record<string, { readonly $ref: string }>>;
        readonly bindings: {
          readonly amqp: {
            readonly exchange?: { readonly name: string; readonly type: string };
            readonly queue?: { readonly name: string };
            readonly "x-waited-for"?: boolean;
          };
        };
      }
    >
  >;
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly action: "send" | "receive";
        readonly channel: { readonly $ref: string };
        readonly messages: Refs;
        readonly tags: readonly { readonly name: string }[];
      }
    >
  >;
  readonly components: {
    readonly messages: Readonly<Record<string, EventMessage>>;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
};
