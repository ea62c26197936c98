const messageStart = /^message (\w+) \{$/;
const routeStart = "  option (topology.v1.route) = {";
const routeEnd = "  };";

/**
 * Has the contract's file of events, `text`, send these events to `service` too: a line in the route of
 * each, after which nothing else is changed. Throws for an event without a route of its own lines.
 */
export function addRoutes(text: string, service: string, events: readonly string[]): string {
  return events.reduce((so, event) => {
    const lines = so.split("\n");
    const { to } = findRoute(lines, event);
    lines.splice(to, 0, lineOf(service));
    return lines.join("\n");
  }, text);
}

/** The same text without the lines that send events to `service` too. */
export function removeRoutes(text: string, service: string): string {
  const line = lineOf(service);
  return text
    .split("\n")
    .filter((other) => other !== line)
    .join("\n");
}

function lineOf(service: string): string {
  return `    also_to: "${service}"`;
}

/** Where the lines of the event's route begin and end. */
function findRoute(lines: readonly string[], event: string): { from: number; to: number } {
  const name = event.split(".").at(-1);
  const message = lines.findIndex((line) => messageStart.exec(line)?.[1] === name);
  const from = lines.indexOf(routeStart, message);
  const next = lines.findIndex((line, at) => at > message && messageStart.test(line));
  if (message < 0 || from < 0 || (next >= 0 && from > next)) {
    throw new Error(`the route of ${event} does not begin with a line "${routeStart.trim()}"`);
  }
  return { from, to: lines.indexOf(routeEnd, from) };
}
