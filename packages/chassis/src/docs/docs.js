/** The page at /swagger/docs: Swagger UI over all documents, and signing in by name where it can be. */
const form = document.getElementById("sign-in");
const { tokenUrl } = form.dataset;
/** The names of the documents, that of all services first. */
const { documents } = document.getElementById("docs").dataset;
let token;

/** Sends what is tried out with the token and an idempotency key. */
function complete(request) {
  if (!new URL(request.url, location.href).pathname.startsWith("/gateway/")) return request;
  const given = new Set(Object.keys(request.headers).map((name) => name.toLowerCase()));
  if (token && !given.has("authorization")) request.headers.authorization = `Bearer ${token}`;
  if (request.method !== "GET" && !given.has("idempotency-key")) {
    request.headers["idempotency-key"] = crypto.randomUUID();
  }
  return request;
}

async function signIn(event) {
  event.preventDefault();
  const username = form.elements.username.value;
  const scope = form.elements.admin.checked ? "admin" : "";
  const output = form.querySelector("output");
  try {
    const response = await fetch(tokenUrl, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "password", username, scope }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error_description);
    token = answer.access_token;
    output.value = `Signed in as ${username}${scope && " with admin rights"}.`;
  } catch (error) {
    output.value = `Sign-in failed: ${error.message}`;
  }
}

form.hidden = tokenUrl === "";
form.addEventListener("submit", signIn);
SwaggerUIBundle({
  urls: documents.split(" ").map((name, at) => ({
    name: at === 0 ? "All services" : name,
    url: `/swagger/v1/${name}.json`,
  })),
  dom_id: "#docs",
  layout: "StandaloneLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // Would send the document to a server on the internet.
  validatorUrl: null,
  requestInterceptor: complete,
});
