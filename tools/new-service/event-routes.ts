const messageStart = /^message (\w+) \{$/;
const routeStart = "  option (topology.v1.route) = {";
const routeEnd = "  };";

/**
 * Adds `service` to `also_to` in the routes of these events. `text` is the events file of the
 * contract; the rest of it does not change. Throws if an event has no route that spans lines of its
 * own.
 */
export function addRoutes(text: string, service: string, events: readonly string[]): string {
  return events.reduce((so, event) => {
    const lines = so.split("\n");
    const { to } = findRoute(lines, event);
    lines.splice(to, 0, lineOf(service));
    return lines.join("\n");
  }, text);
}

/** Removes `service` from `also_to` in all routes. */
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

/** Returns the first and the last line of the event's route. */
function findRoute(lines: readonly string[], event: string): { from: number; to: number } {
  const name = event.split(".").at(-1);
  const message = lines.findIndex((line) => messageStart.exec(line)?.[1] === name);
  const from = lines.indexOf(routeStart, message);
  const next = lines.findIndex((line, at) => at > message && messageStart.test(line));
  if (message < 0 || from < 0 || (next >= 0 && from > next)) {
    throw new Error(
      `cannot add to the route of ${event}: start it with the line "${routeStart.trim()}"`,
    );
  }
  return { from, to: lines.indexOf(routeEnd, from) };
}
