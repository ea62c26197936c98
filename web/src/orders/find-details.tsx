import "./find-details.css";
import { type RefObject, useEffect } from "react";
import { useFocusHeir } from "../design/use-focus-heir.ts";
import { useLanguage } from "../i18n/language.tsx";
import { useClient } from "../session/client.ts";
import { type Criterion, criteriaOf } from "./criteria.ts";
import { FilterPanel } from "./filter-panel.tsx";
import { type FilterChange, isFiltering, type OrderFilter, queryOf } from "./order-filter.ts";
import { orderIdIn } from "./order-search.ts";
import type { FoundOrders } from "./use-found-orders.ts";

/** The filters, what is being looked for, and how many orders were found. */
export default function FindDetails(props: {
  readonly filter: OrderFilter;
  readonly change: (change: FilterChange) => void;
  readonly found: FoundOrders;
  /** The search field, which gets the focus when a filter is removed. */
  readonly input: RefObject<HTMLInputElement | null>;
  readonly panelId: string;
  readonly isOpen: boolean;
}) {
  const spoken = useLanguage();
  const { m } = spoken;
  const { filter, change, found, input } = props;
  const criteria = criteriaOf(filter, spoken);
  const count = useFoundText(filter, found);
  return (
    <>
      {props.isOpen && <FilterPanel id={props.panelId} filter={filter} change={change} />}
      {criteria.length > 0 && (
        <div className="criteria">
          {criteria.map((criterion) => (
            <CriterionButton
              key={criterion.key}
              criterion={criterion}
              heir={input}
              onRemove={() => change(criterion.without)}
            />
          ))}
          <button type="button" className="text" onClick={() => clear(change, input)}>
            {m.find.clear}
          </button>
          <p className="small">{count}</p>
        </div>
      )}
      {criteria.length > 0 && found.orders?.length === 0 && !found.isOld && (
        <NothingFound filter={filter} criteria={criteria} found={found} />
      )}
    </>
  );
}

function clear(
  change: (change: FilterChange) => void,
  input: RefObject<HTMLInputElement | null>,
): void {
  change({ status: undefined, from: undefined, to: undefined, text: undefined });
  input.current?.focus();
}

/** Returns how many orders were found, as text, and announces it for each new search. */
function useFoundText(filter: OrderFilter, found: FoundOrders): string {
  const { m, format } = useLanguage();
  const { said } = useClient();
  const { orders, searched, isMore, isOld, part } = found;
  const count = orders?.length ?? 0;
  const text = textOf();
  const isReady = orders !== undefined && !isOld && isFiltering(filter);
  const search = `${queryOf(filter)} ${part}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: live changes are not announced here
  useEffect(() => {
    if (isReady) said.emit(count === 0 ? m.find.none : text);
  }, [said, isReady, search]);
  return isReady && count > 0 ? text : "";

  function textOf(): string {
    if (!isMore || searched === undefined) return m.find.found(count, format.number(count));
    return filter.text === undefined
      ? m.find.latest(format.number(searched))
      : m.find.foundAmong(format.number(count), format.number(searched));
  }
}

function CriterionButton(props: {
  readonly criterion: Criterion;
  readonly heir: RefObject<HTMLInputElement | null>;
  onRemove(): void;
}) {
  const { m } = useLanguage();
  const ref = useFocusHeir<HTMLButtonElement>(props.heir);
  const { label } = props.criterion;
  return (
    <button
      ref={ref}
      type="button"
      className="chip"
      aria-label={m.find.remove(label)}
      onClick={props.onRemove}
    >
      <span className="criterion">{label}</span>
      <span aria-hidden="true">✕</span>
    </button>
  );
}

function NothingFound(props: {
  readonly filter: OrderFilter;
  readonly criteria: readonly Criterion[];
  readonly found: FoundOrders;
}) {
  const { m, format } = useLanguage();
  const { filter, criteria, found } = props;
  const { searched = 0, isMore } = found;
  const isById = orderIdIn(filter.text ?? "") !== undefined;
  return (
    <div className="empty">
      <p className="empty-title">{isById ? m.find.noSuchId : m.find.none}</p>
      <p className="looked-for">{criteria.map(({ label }) => label).join(" · ")}</p>
      {isMore && filter.text && <p>{m.find.noneAmong(searched, format.number(searched))}</p>}
      <p>{isById ? m.find.noSuchIdNext : m.find.noneNext}</p>
    </div>
  );
}
