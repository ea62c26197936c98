import { type ChangeEvent, type ComponentProps, useId, useState } from "react";
import { Field } from "../design/field.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { type Day, firstDay, lastDay } from "../time/day.ts";
import { type FilterChange, namedRanges, type OrderFilter, rangeOf } from "./order-filter.ts";
import { type KnownStatusName, knownStatuses } from "./status.ts";

const rangeNames = Object.keys(namedRanges) as (keyof typeof namedRanges)[];

/** The filters by status and by day. Each choice takes effect at once. */
export function FilterPanel(props: {
  readonly id: string;
  readonly filter: OrderFilter;
  readonly change: (change: FilterChange) => void;
}) {
  const { m } = useLanguage();
  const { id, filter, change } = props;
  const { status, from, to } = filter;
  const fieldId = useId();
  return (
    <div id={id} className="filters">
      <Field id={`${fieldId}-status`} label={m.find.status}>
        <select
          value={status ?? ""}
          onChange={({ target }) =>
            change({ status: (target.value || undefined) as KnownStatusName | undefined })
          }
        >
          <option value="">{m.find.anyStatus}</option>
          {knownStatuses.map((name) => (
            <option key={name} value={name}>
              {m.orders.status[name]}
            </option>
          ))}
        </select>
      </Field>
      <Field id={`${fieldId}-from`} label={m.find.from}>
        <DayInput day={from} onDay={(day) => change({ from: day })} />
      </Field>
      <Field
        id={`${fieldId}-to`}
        label={m.find.to}
        fault={from && to && to < from ? m.find.wrongOrder : undefined}
      >
        <DayInput day={to} onDay={(day) => change({ to: day })} />
      </Field>
      <fieldset className="choices">
        <legend className="hidden">{m.find.period}</legend>
        {rangeNames.map((name) => {
          const range = rangeOf(name, Date.now());
          return (
            <button
              key={name}
              type="button"
              className="chip"
              aria-pressed={range.from === from && range.to === to}
              onClick={() => change(range)}
            >
              {m.find.ranges[name]}
            </button>
          );
        })}
      </fieldset>
    </div>
  );
}

/** An input for a day. A day that is still being typed, such as one of the year 20, is kept here. */
function DayInput(
  props: ComponentProps<"input"> & {
    readonly day: Day | undefined;
    onDay(day: Day | undefined): void;
  },
) {
  const { day = "", onDay, ...rest } = props;
  const [typed, setTyped] = useState(day);
  const [known, setKnown] = useState(day);
  if (known !== day) {
    setKnown(day);
    setTyped(day);
  }
  const onChange = ({ target }: ChangeEvent<HTMLInputElement>) => {
    setTyped(target.value);
    // Also not valid, but empty, while a part of it is missing.
    if (target.validity.valid) onDay(target.value || undefined);
  };
  return (
    <input {...rest} type="date" min={firstDay} max={lastDay} value={typed} onChange={onChange} />
  );
}
