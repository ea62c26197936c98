import type { DescFile, DescMessage } from "@bufbuild/protobuf";

/** Returns the exports of protoc-gen-es for a file that users of the SDK need. */
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
      // Map entries are not messages for users.
      .filter(({ proto }) => !proto.options?.mapEntry)
      .flatMap((nested) => namesOf(nested, file)),
  ];
}

/** Returns the name of a type in protoc-gen-es: nested names are joined with underscores. */
export function typeNameIn(file: DescFile, typeName: string): string {
  const prefix = file.proto.package === "" ? 0 : file.proto.package.length + 1;
  return typeName.slice(prefix).replaceAll(".", "_");
}
