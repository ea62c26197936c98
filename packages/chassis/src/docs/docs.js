/** The page at /swagger/docs: Swagger UI over all documents, and signing in by name where it can be. */
import { fillIn, prepareExample } from "./docs-example.js";
import { newKey, watchBriefly } from "./docs-requests.js";
import { languages, samples } from "./docs-samples.js";

const form = document.getElementById("sign-in");
const { tokenUrl } = form.dataset;
/** The names of the documents, that of all services first. */
const { documents } = document.getElementById("docs").dataset;
let token;
/** Whose account and order the fields are filled in with. */
let example = { userId: "alice", currency: "EUR" };

/** Sends what is tried out with the token and an idempotency key. */
function complete(request) {
  const { pathname } = new URL(request.url, location.href);
  if (!pathname.startsWith("/gateway/")) return request;
  const given = new Set(Object.keys(request.headers).map((name) => name.toLowerCase()));
  if (token && !given.has("authorization")) request.headers.authorization = `Bearer ${token}`;
  if (request.method !== "GET" && !given.has("idempotency-key")) {
    request.headers["idempotency-key"] = newKey();
  }
  if (pathname.endsWith(":watch")) request.userFetch = watchBriefly;
  return request;
}

async function signIn(event) {
  event.preventDefault();
  const username = form.elements.username.value;
  const output = form.querySelector("output");
  try {
    const response = await fetch(tokenUrl, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "password", username, scope: "admin" }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error_description);
    token = answer.access_token;
    output.value = `Signed in as ${username}, with admin rights. Preparing an example …`;
    example = await prepareExample(token, username);
    fillIn(ui, example);
    output.value = `Signed in as ${username}, with admin rights. The fields show your account and an order.`;
  } catch (error) {
    output.value = `Sign-in failed: ${error.message}`;
  }
}

/** Lets keys do what Swagger UI leaves to the mouse: scroll wide code, and choose its language. */
function serveKeys(root) {
  for (const box of root.querySelectorAll(
    "pre:not([tabindex]), .table-container:not([tabindex])",
  )) {
    box.tabIndex = 0;
  }
  for (const choice of root.querySelectorAll(".request-snippets .btn:not([role])")) {
    choice.role = "button";
    choice.tabIndex = 0;
    choice.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") choice.click();
    });
  }
}

form.hidden = tokenUrl === "";
// There is one way to sign in: here, or else by a token of the reader's own.
document.body.classList.toggle("signs-in-here", tokenUrl !== "");
form.addEventListener("submit", signIn);
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
const root = document.getElementById("docs");
new MutationObserver(() => serveKeys(root)).observe(root, { childList: true, subtree: true });

const ui = SwaggerUIBundle({
  urls: documents.split(" ").map((name, at) => ({
    name: at === 0 ? "All services" : name,
    url: `/swagger/v1/${name}.json`,
  })),
  dom_id: "#docs",
  layout: "StandaloneLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [samples],
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  requestSnippetsEnabled: true,
  requestSnippets: {
    generators: languages,
    defaultExpanded: true,
    languages: Object.keys(languages),
  },
  // Would send the document to a server on the internet.
  validatorUrl: null,
  requestInterceptor: complete,
  onComplete: () => fillIn(ui, example),
});
