import type { LedgerEntry } from "@settle/sdk";
import { Link } from "wouter";
import { ReadFailed } from "../action/read-failed.tsx";
import { ShowMore } from "../action/show-more.tsx";
import { useAction } from "../action/use-action.ts";
import { Skeleton } from "../design/skeleton.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useTitle } from "../layout/use-title.ts";
import { useClient } from "../session/client.ts";
import { instantMs } from "../time/instant.ts";
import { ExportButton } from "./export-button.tsx";
import { kindOf } from "./kind.ts";
import { readMoreEntries, useOrderNames, useStatement } from "./use-statement.ts";

/** The entries of the account, newest first, with the balance after each. */
export default function StatementView() {
  const { m, format } = useLanguage();
  const client = useClient();
  const { data: list, error, refetch } = useStatement();
  const more = useAction("readMoreEntries", () => readMoreEntries(client));
  const currency = list?.entries[0]?.amount?.currency;
  useTitle(m.statement.title);
  return (
    <section className="statement">
      <header className="statement-head">
        <h1>{m.statement.title}</h1>
        {currency && <p>{m.statement.of(client.userId, currency)}</p>}
        {currency && (
          <div className="actions">
            <ExportButton />
            <button type="button" className="quiet" onClick={() => print()}>
              {m.statement.print}
            </button>
          </div>
        )}
      </header>
      {list === undefined && !error && <Skeleton lines={6} />}
      {list === undefined && error && <ReadFailed error={error} again={refetch} />}
      {list === null && <Nothing title={m.statement.noAccount} next={m.statement.noAccountNext} />}
      {list?.entries.length === 0 && (
        <Nothing title={m.statement.empty} next={m.statement.emptyNext} />
      )}
      {list && list.entries.length > 0 && <Ledger entries={list.entries} />}
      {list?.nextPageToken && (
        <p className="printed">{m.statement.printed(format.number(list.entries.length))}</p>
      )}
      <ShowMore action={more} isMore={!!list?.nextPageToken} />
    </section>
  );
}

function Nothing(props: { readonly title: string; readonly next: string }) {
  const { m } = useLanguage();
  return (
    <div className="empty">
      <p className="empty-title">{props.title}</p>
      <p>{props.next}</p>
      <Link href="/">{m.page.notFoundNext}</Link>
    </div>
  );
}

function Ledger({ entries }: { readonly entries: readonly LedgerEntry[] }) {
  const { m } = useLanguage();
  const names = useOrderNames(entries);
  return (
    <table className="ledger">
      <caption className="hidden">{m.statement.caption}</caption>
      <thead>
        <tr>
          <th scope="col">{m.statement.date}</th>
          <th scope="col">{m.statement.what}</th>
          <th scope="col" className="sum">
            {m.statement.amount}
          </th>
          <th scope="col" className="sum">
            {m.statement.balance}
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <Movement key={entry.id} entry={entry} name={names.get(entry.orderId)} />
        ))}
      </tbody>
    </table>
  );
}

function Movement(props: { readonly entry: LedgerEntry; readonly name: string | undefined }) {
  const { m, format } = useLanguage();
  const { kind, amount, balanceAfter, createTime, orderId } = props.entry;
  const ms = createTime ? instantMs(createTime) : 0;
  return (
    <tr>
      <td className="when">
        <time dateTime={new Date(ms).toISOString()}>
          <span>{format.day(ms, Date.now())}</span> <span className="small">{format.time(ms)}</span>
        </time>
      </td>
      <td className="what">
        <span>{m.statement[kindOf(kind)]}</span>
        {orderId !== "" && (
          <>
            <span>{" · "}</span>
            <Link href={`/orders/${orderId}`}>
              {props.name || m.statement.orderNumber(orderId.slice(-4))}
            </Link>
          </>
        )}
      </td>
      <td className={`sum ${(amount?.minorUnits ?? 0n) > 0n ? "sum-in" : ""}`}>
        {amount && format.signedMoney(amount)}
      </td>
      <td className="sum after">{balanceAfter && format.money(balanceAfter)}</td>
    </tr>
  );
}
