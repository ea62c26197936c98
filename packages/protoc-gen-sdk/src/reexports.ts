import type { DescFile, DescMessage } from "@bufbuild/protobuf";

/** What protoc-gen-es writes for a file that users of the SDK need, as an export list has it. */
export function reexportedNames(file: DescFile): readonly string[] {
  return [
    ...file.enums.flatMap((one) => [
      typeNameIn(file, one.typeName),
      `${typeNameIn(file, one.typeName)}Schema`,
    ]),
    ...file.messages.flatMap((message) => namesOf(message, file)),
    ...file.services.map(({ name }) => name),
  ];
}

function namesOf(message: DescMessage, file: DescFile): string[] {
  const name = typeNameIn(file, message.typeName);
  return [
    `type ${name}`,
    `${name}Schema`,
    ...message.nestedEnums.flatMap((one) => [
      typeNameIn(file, one.typeName),
      `${typeNameIn(file, one.typeName)}Schema`,
    ]),
    ...message.nestedMessages
      // The entries of a map are no messages to their users.
      .filter(({ proto }) => !proto.options?.mapEntry)
      .flatMap((nested) => namesOf(nested, file)),
  ];
}

/** How protoc-gen-es calls a type: the names of nested ones are joined by underscores. */
export function typeNameIn(file: DescFile, typeName: string): string {
  const prefix = file.proto.package === "" ? 0 : file.proto.package.length + 1;
  return typeName.slice(prefix).replaceAll(".", "_");
}
