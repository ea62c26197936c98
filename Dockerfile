# All images of the project. Only the page has a build step: Node runs the other sources directly.
#
#   docker build --target edge .
#   docker build --target provision .
#   docker build --target dev-issuer .
#   docker build --target frontend .
#   docker build --target service --build-arg SERVICE=orders .

FROM node:24.21.0-bookworm-slim AS workspace
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY gen/package.json gen/
COPY gen/sdk/package.json gen/sdk/
COPY packages/chassis/package.json packages/chassis/
COPY packages/proto-schemas/package.json packages/proto-schemas/
COPY packages/protoc-gen-asyncapi/package.json packages/protoc-gen-asyncapi/
COPY packages/protoc-gen-openapi/package.json packages/protoc-gen-openapi/
COPY packages/protoc-gen-sdk/package.json packages/protoc-gen-sdk/
COPY packages/sdk/package.json packages/sdk/
COPY packages/sdk-runtime/package.json packages/sdk-runtime/
COPY services/orders/package.json services/orders/
COPY services/payments/package.json services/payments/
COPY tools/openapi-clients/package.json tools/openapi-clients/
COPY web/package.json web/

# Renders the configuration of the edge from edge/envoy.yaml.
FROM workspace AS edge-config
RUN npm ci --ignore-scripts --omit=optional --workspaces=false
COPY services/services.ts services/
COPY edge/envoy.yaml edge/render.ts edge/derived.ts edge/
ARG AUTH_ISSUER=http://localhost:8003
ARG AUTH_AUDIENCE=settle
ARG AUTH_JWKS_URL=http://dev-issuer:8080/.well-known/jwks.json
ARG WEB_ORIGIN=http://localhost:5173
ARG TRUSTED_HOPS=0
RUN node edge/render.ts --auth-issuer "$AUTH_ISSUER" --auth-audience "$AUTH_AUDIENCE" \
  --auth-jwks-url "$AUTH_JWKS_URL" --cors-origin "$WEB_ORIGIN" --trusted-hops "$TRUSTED_HOPS" \
  > envoy.yaml

FROM envoyproxy/envoy:v1.40.0 AS edge
COPY --from=edge-config /app/envoy.yaml /etc/envoy/envoy.yaml
COPY gen/envoy/descriptors.binpb gen/envoy/rest-guard.lua gen/envoy/connection-cap.wasm \
  /etc/envoy/
USER envoy
EXPOSE 8000
# The image has no HTTP client, but its shell can open a connection.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD [ "bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /healthz HTTP/1.1\\r\\nhost: edge\\r\\nconnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [[ $status == 200 ]]" ]
CMD ["envoy", "-c", "/etc/envoy/envoy.yaml", "--disable-hot-restart", "--log-level", "warning"]

FROM workspace AS page
RUN npm ci --ignore-scripts --workspace=web
COPY gen gen
COPY packages packages
COPY tsconfig.json ./
COPY web web
RUN node web/build.ts

# The Node images share this layer with their packages.
FROM workspace AS dependencies
RUN npm ci --ignore-scripts --omit=dev $(printf -- '--workspace=%s ' services/*) --workspace=web \
  && rm -rf /root/.npm
COPY gen gen
COPY packages/chassis/src packages/chassis/src
ENV NODE_ENV=production

FROM dependencies AS provision
COPY services/services.ts services/
COPY tools/provision tools/provision
USER node
CMD ["node", "tools/provision/main.ts"]

# Does not start unless NODE_ENV is set to a value other than production.
FROM dependencies AS dev-issuer
COPY tools/dev-issuer tools/dev-issuer
# A new volume gets the owner and the mode of the folder at its mount point.
RUN install --directory --owner=node --group=node --mode=700 /var/lib/dev-issuer
ENV HOST=0.0.0.0 PORT=8080 KEYS_FOLDER=/var/lib/dev-issuer
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD [ "node", "--eval", \
  "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1))" ]
CMD ["node", "tools/dev-issuer/main.ts"]

# Requires OIDC_AUTHORITY and OIDC_CLIENT_ID in production.
FROM dependencies AS frontend
COPY web/server web/server
COPY --from=page /app/web/dist web/dist
ENV HOST=0.0.0.0 PORT=8080
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD [ "node", "--eval", \
  "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1))" ]
CMD ["node", "web/server/main.ts"]

FROM dependencies AS service
ARG SERVICE
COPY services/${SERVICE}/src services/${SERVICE}/src
WORKDIR /app/services/${SERVICE}
ENV HOST=0.0.0.0 PORT=8080
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD [ "node", "--eval", \
  "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1))" ]
# The options are those of services/services.ts.
CMD ["node", "--no-allocation-site-pretenuring", "--max-semi-space-size=16", "--heap-growing-percent=50", "src/main.ts"]
