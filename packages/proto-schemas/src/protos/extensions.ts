import {
  type AnyDesc,
  type DescExtension,
  type DescMessage,
  getExtension,
  hasExtension,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Refusal } from "./complaints.ts";

/** The value of an option, with the field names of the proto, set fields only; enums as numbers. */
export type OptionValue =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly OptionValue[]
  | { readonly [name: string]: OptionValue | undefined };

/**
 * Reads options that are extensions, by their full name, with the descriptors passed to the plugin.
 * This needs no generated code for the options, and works for sets without an extension.
 */
export type Extensions = {
  /** All types of the descriptor set. */
  readonly types: Registry;
  /**
   * Returns the value of the option `name` of `desc`; undefined if it is not set. `T` lists the
   * fields that the caller reads.
   */
  read<T>(desc: AnyDesc, name: string): T | undefined;
};

/** Creates a reader of the options in `types`. */
export function createExtensions(types: Registry): Extensions {
  // The same option is read many times, in both directions and for several documents.
  const known = new Map<string, WeakMap<Message, OptionValue>>();
  return {
    types,
    read<T>(desc: AnyDesc, name: string): T | undefined {
      const { options } = desc.proto as { options?: Message };
      if (options?.$unknown === undefined) return undefined;
      let values = known.get(name);
      if (values === undefined) {
        values = new WeakMap();
        known.set(name, values);
      }
      const before = values.get(options);
      if (before !== undefined) return before as T;
      const extension = types.getExtension(name);
      if (extension === undefined || extension.extendee.typeName !== options.$typeName) {
        return undefined;
      }
      if (!hasExtension(options, extension)) return undefined;
      const value = readValue(extension, getExtension(options, extension));
      values.set(options, value);
      return value as T;
    },
  };
}

/** Throws if `name`, which `where` names, is not an option of methods or of messages in `types`. */
export function refuseUnknownOption(
  types: Registry,
  { name, of, where }: { readonly name: string; readonly of: "method" | "message"; where: string },
): void {
  const extendee = { method: "MethodOptions", message: "MessageOptions" }[of];
  const option = types.getExtension(name);
  if (option?.extendee.typeName === `google.protobuf.${extendee}`) return;
  throw new Refusal(
    `${where} names ${name}, and no proto of this run or its imports defines such a ${of} option`,
  );
}

function readValue(extension: DescExtension, value: unknown): OptionValue {
  const { message } = extension;
  if (message === undefined) return value as OptionValue;
  return Array.isArray(value)
    ? value.map((item) => readMessage(message, item as Message))
    : readMessage(message, value as Message);
}

function readMessage(desc: DescMessage, value: Message): OptionValue {
  const message = reflect(desc, value);
  const entries: [string, OptionValue][] = [];
  for (const field of message.fields) {
    if (field.fieldKind === "map" || !message.isSet(field)) continue;
    if (field.fieldKind === "list") {
      const items = [...message.get(field)];
      const nested = field.message;
      const read = (item: unknown) =>
        nested ? readMessage(nested, (item as { message: Message }).message) : item;
      entries.push([field.name, items.map((item) => read(item) as OptionValue)]);
    } else if (field.fieldKind === "message") {
      entries.push([field.name, readMessage(field.message, message.get(field).message)]);
    } else entries.push([field.name, message.get(field) as OptionValue]);
  }
  return Object.fromEntries(entries);
}
