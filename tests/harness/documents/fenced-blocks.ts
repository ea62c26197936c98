/** Returns the contents of the fenced blocks with exactly this info string. */
export function fencedBlocks(markdown: string, info: string): readonly string[] {
  const blocks = markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, found, content = ""]) => (found === info ? [content] : []));
}
