import "./sign-in.css";
import { type FormEvent, useId, useState } from "react";
import type { SignInConfig } from "../../server/config.ts";
import { WorkButton } from "../action/work-button.tsx";
import { Field } from "../design/field.tsx";
import { Mark } from "../design/mark.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useTitle } from "../layout/use-title.ts";
import { leaveForProvider } from "./resume-session.ts";
import { NameRefusedError, type Session } from "./session.ts";
import { signInByName } from "./sign-in-by-name.ts";

/** The sign-in view: by any name in development, otherwise at the provider. */
export default function SignInView(props: {
  readonly signIn: SignInConfig;
  /** Whether the provider redirected back without a session. */
  readonly failed: boolean;
  onSession(session: Session): void;
}) {
  const { m } = useLanguage();
  const { signIn, onSession } = props;
  useTitle(m.signIn.submit);
  return (
    <div className="sign-in">
      <div className="sign-in-lead">
        <Mark status="paid" />
        <h1>{m.signIn.title}</h1>
        <p>{m.signIn.lead}</p>
      </div>
      {signIn.kind === "development" ? (
        <NameForm issuerUrl={signIn.issuerUrl} onSession={onSession} failed={props.failed} />
      ) : (
        <ProviderForm signIn={signIn} failed={props.failed} />
      )}
    </div>
  );
}

/** Why signing in failed; for a name, with the first sign in it that is not allowed. */
type NameFault =
  | { readonly kind: "unreachable" }
  | { readonly kind: "name"; readonly sign: string | undefined };

function NameForm(props: {
  readonly issuerUrl: string;
  readonly failed: boolean;
  onSession(session: Session): void;
}) {
  const { m } = useLanguage();
  const [working, setWorking] = useState(false);
  const [fault, setFault] = useState<NameFault | undefined>(
    props.failed ? { kind: "unreachable" } : undefined,
  );
  const id = useId();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const name = String(new FormData(form).get("name")).trim();
    if (working) return;
    setWorking(true);
    setFault(undefined);
    try {
      props.onSession(await signInByName(props.issuerUrl, name));
    } catch (error) {
      setFault(
        error instanceof NameRefusedError
          ? { kind: "name", sign: /[^\w.|@+'-]/u.exec(name)?.[0] }
          : { kind: "unreachable" },
      );
      setWorking(false);
      form.querySelector("input")?.focus();
    }
  };
  return (
    <form className="sheet form" onSubmit={submit} noValidate>
      <Field
        id={id}
        label={m.signIn.name}
        hint={m.signIn.nameHint}
        fault={fault?.kind === "name" ? m.signIn.nameFault(fault.sign) : undefined}
      >
        <input
          name="name"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={128}
          // biome-ignore lint/a11y/noAutofocus: there is nothing else to do here
          autoFocus
        />
      </Field>
      {fault?.kind === "unreachable" && (
        <p className="fault" role="alert">
          {m.signIn.unreachable}
        </p>
      )}
      <WorkButton working={working}>{m.signIn.submit}</WorkButton>
    </form>
  );
}

function ProviderForm(props: {
  readonly signIn: Extract<SignInConfig, { kind: "oidc" }>;
  readonly failed: boolean;
}) {
  const { m } = useLanguage();
  const [working, setWorking] = useState(false);
  const [failed, setFailed] = useState(props.failed);
  const leave = async (event: FormEvent) => {
    event.preventDefault();
    setWorking(true);
    setFailed(false);
    try {
      await leaveForProvider(props.signIn, { silent: false });
    } catch {
      setFailed(true);
      setWorking(false);
    }
  };
  return (
    <form className="sheet form" onSubmit={leave}>
      {failed && (
        <p className="fault" role="alert">
          {m.signIn.failed}
        </p>
      )}
      <WorkButton working={working}>{working ? m.signIn.leaving : m.signIn.leave}</WorkButton>
    </form>
  );
}
