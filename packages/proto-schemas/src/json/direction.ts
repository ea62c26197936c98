/**
 * Where a message is used. A request must obey the rules, and its JSON may take more forms than
 * that of a response. A response is strict JSON and is not validated by the rules. An event is
 * strict JSON and obeys the rules, because its publisher does.
 */
export type Direction = "request" | "response" | "event";
