import { newKey } from "./docs-requests.js";

const description = "Two tickets";

/**
 * Gives the user an account with money and a paid order, if there is none yet, and returns what
 * identifies them.
 */
export async function prepareExample(token, userId) {
  const call = async (method, path, body) => {
    const response = await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { "content-type": "application/json", "idempotency-key": newKey() }),
        prefer: "wait=5",
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    throw Object.assign(new Error(answer.message), { status: response.status });
  };
  const account = `/gateway/payments/accounts/${encodeURIComponent(userId)}`;
  const { balance } = await call("GET", account).catch((error) => {
    if (error.status !== 404) throw error;
    return call("POST", "/gateway/payments/accounts", { userId, currency: "EUR" });
  });
  const { currency } = balance;
  const orders = `/gateway/orders/${encodeURIComponent(userId)}?status=ORDER_STATUS_PAID&pageSize=1`;
  const { orders: found = [] } = await call("GET", orders);
  if (found[0]) return { userId, currency, orderId: found[0].id };
  await call("POST", `${account}:deposit`, { amount: { minorUnits: "10000", currency } });
  const amount = { minorUnits: "250", currency };
  const order = await call("POST", "/gateway/orders", { userId, amount, description });
  return { userId, currency, orderId: order.id };
}

/** Fills in the parameters and bodies of all operations with the example. */
export function fillIn(ui, example) {
  const document = ui.specSelectors.specJson();
  const plain = document.toJS();
  for (const [path, operations] of document.get("paths")?.entries() ?? []) {
    for (const [method, operation] of operations.entries()) {
      const pathMethod = [path, method];
      for (const parameter of operation.get?.("parameters") ?? []) {
        const value = example[parameter.get("name")];
        if (parameter.get("in") !== "path" || value === undefined) continue;
        ui.specActions.changeParamByIdentity(pathMethod, parameter, value, false);
      }
      const schema = operation.getIn?.(["requestBody", "content", "application/json", "schema"]);
      if (!schema) continue;
      const body = sampleOf(plain, schema.toJS(), example);
      // Otherwise, Swagger UI sets a sample of its own when the operation is opened.
      ui.oas3Actions.setRetainRequestBodyValueFlag({ value: true, pathMethod });
      ui.oas3Actions.setRequestBodyValue({ value: JSON.stringify(body, undefined, 2), pathMethod });
    }
  }
}

/** Returns a value for the schema: what is required, and texts for which it has an example. */
function sampleOf(document, schema, example, name) {
  if (example[name] !== undefined) return example[name];
  const { $ref, properties, required = [], examples } = schema;
  if ($ref) {
    const target = document.components.schemas[$ref.split("/").at(-1)];
    return sampleOf(document, { ...target, ...schema, $ref: undefined }, example, name);
  }
  if (!properties) return examples?.[0] ?? "";
  const shown = Object.entries(properties).filter(
    ([key, { type, examples: own }]) => required.includes(key) || (type === "string" && own),
  );
  return Object.fromEntries(
    shown.map(([key, value]) => [key, sampleOf(document, value, example, key)]),
  );
}
