import "./design/tokens.css";
import "./design/base.css";
import "./design/parts.css";
import "./layout/page-frame.css";
import "./account/account.css";
import "./orders/orders.css";
import "./statement/statement.css";
import "./design/print.css";
import { createRoot } from "react-dom/client";
import { LanguageProvider } from "./i18n/language.tsx";
import { readPageConfig } from "./session/page-config.ts";
import { SignInGate } from "./session/sign-in-gate.tsx";

const root = document.getElementById("root");
if (!root) throw new Error("the document has no root");
createRoot(root).render(
  <LanguageProvider>
    <SignInGate config={readPageConfig()} />
  </LanguageProvider>,
);
