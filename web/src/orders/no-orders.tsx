import "./no-orders.css";
import { Mark } from "../design/mark.tsx";
import { useLanguage } from "../i18n/language.tsx";

/** What a user without orders does first. */
export default function NoOrders() {
  const { m } = useLanguage();
  return (
    <div className="empty">
      <Mark status="pending" />
      <p className="empty-title">{m.orders.empty}</p>
      <p>{m.orders.emptyNext}</p>
      <ol className="first-steps">
        {m.find.firstSteps.map(({ title, text }) => (
          <li key={title}>
            <h3>{title}</h3>
            <p>{text}</p>
          </li>
        ))}
      </ol>
    </div>
  );
}
