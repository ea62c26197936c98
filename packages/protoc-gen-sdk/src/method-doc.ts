import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";
import { access } from "@settle/gen/errors/v1/errors_pb";
import { commentText, oneLine } from "./comments.ts";
import type { Facet } from "./facets.ts";
import type { Reasons } from "./reasons.ts";

/** The comment of the method, who may call it, and what it may fail with. */
export function docOf({ method, kind, canWait }: Facet, reasons: Reasons): string {
  const declared = reasons
    .of(method)
    .map(({ className, text }) => `- \`${className}\`: ${oneLine(text)}`);
  return [
    commentText(getComments(method)),
    canWait ? "Here the option `waitS` says so: `{ waitS: 5 }`." : "",
    kind === "watch" ? "Here a stream that is cut is opened again by itself, from there on." : "",
    accessText(method),
    ...(declared.length > 0
      ? [["Errors, besides those of any call:", ...declared].join("\n")]
      : []),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function accessText(method: DescMethod): string {
  if (!hasOption(method, access)) return "";
  const { owner, scope } = getOption(method, access);
  const who = [
    ...(owner ? ["a token of the user it names"] : []),
    ...(scope === "" ? [] : [`${owner ? "" : "a token with "}the scope \`${scope}\``]),
  ];
  return `Takes ${who.join(", or ")}.`;
}
