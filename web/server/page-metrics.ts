import { counter } from "@settle/chassis/metrics/registry";

export const pageResponses = counter({
  name: "settle_page_responses_total",
  help: "Responses of the page's server, by status code.",
  labels: ["code"],
});
