import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { type FilterChange, filterOf, type OrderFilter, queryOf } from "./order-filter.ts";

/**
 * Returns the filter in the address of the overview, and a function that changes it there. Adding
 * or removing a part makes an entry in the browser's history; another value of a part does not.
 */
export function useFilter(): {
  readonly filter: OrderFilter;
  /** The filter as in the address, to link back to it. */
  readonly query: string;
  readonly change: (change: FilterChange) => void;
} {
  const search = useSearch();
  const [, navigate] = useLocation();
  const filter = useMemo(() => filterOf(search), [search]);
  const change = useCallback(
    (parts: FilterChange) => {
      // Not the rendered one: typing and a choice can come together.
      const now = filterOf(location.search);
      const next = filterOf(queryOf({ ...now, ...parts } as OrderFilter));
      const replace = Object.keys(now).join() === Object.keys(next).join();
      navigate(`/${queryOf(next)}`, { replace });
    },
    [navigate],
  );
  return { filter, query: queryOf(filter), change };
}
