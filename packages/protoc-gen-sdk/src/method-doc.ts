import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";
import { access } from "@settle/gen/errors/v1/errors_pb";
import { commentText, oneLine } from "./comments.ts";
import type { Facet } from "./facets.ts";
import type { Reasons } from "./reasons.ts";

/** Returns the comment of the method, who may call it, and its errors. */
export function docOf({ method, kind, canWait }: Facet, reasons: Reasons): string {
  const declared = reasons
    .of(method)
    .map(({ className, text }) => `- \`${className}\`: ${oneLine(text)}`);
  return [
    commentText(getComments(method)),
    canWait ? "In this SDK, set the option `waitS`: `{ waitS: 5 }`." : "",
    kind === "watch" ? "If the connection breaks, the SDK reopens the stream and resumes it." : "",
    accessText(method),
    ...(declared.length > 0
      ? [["Errors, in addition to those of every call:", ...declared].join("\n")]
      : []),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function accessText(method: DescMethod): string {
  if (!hasOption(method, access)) return "";
  const { owner, scope, otherScopes } = getOption(method, access);
  const scopes = [scope, ...otherScopes].filter((name) => name !== "");
  const who = [
    ...(owner ? ["the user named by `userId`"] : []),
    ...scopes.map((name) => `a caller with the scope \`${name}\``),
  ];
  return `Access: ${who.join(", or ")}.`;
}
