import { deadLettersTable } from "../events/dead-letters.ts";
import { operatorActionsTable } from "./operator-actions.ts";

/** The tables of dead letters and of what operators have done, for a migration of a service. */
export const opsTables = deadLettersTable + operatorActionsTable;
