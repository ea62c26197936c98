# Every image of the project. There is no build step: Node runs the sources as they are.
#
#   docker build --target edge .
#   docker build --target provision .
#   docker build --target service --build-arg SERVICE=orders .

FROM node:24.21.0-bookworm-slim AS workspace
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY gen/package.json gen/
COPY packages/chassis/package.json packages/chassis/
COPY services/orders/package.json services/orders/
COPY services/payments/package.json services/payments/

# The edge's configuration is rendered from the one file that runs everywhere.
FROM workspace AS edge-config
RUN npm ci --ignore-scripts --omit=optional --workspaces=false
COPY edge/envoy.yaml edge/render.ts edge/
RUN node edge/render.ts > envoy.yaml

FROM envoyproxy/envoy:v1.40.0 AS edge
COPY --from=edge-config /app/envoy.yaml /etc/envoy/envoy.yaml
COPY gen/envoy/descriptors.binpb /etc/envoy/descriptors.binpb
USER envoy
EXPOSE 8000
# The image has no HTTP client, but its shell can open a connection.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD [ "bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /healthz HTTP/1.1\\r\\nhost: edge\\r\\nconnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [[ $status == 200 ]]" ]
CMD ["envoy", "-c", "/etc/envoy/envoy.yaml", "--disable-hot-restart", "--log-level", "warning"]

# The services need the same packages, so their images share this layer.
FROM workspace AS dependencies
RUN npm ci --ignore-scripts --omit=dev --workspace=services/orders --workspace=services/payments \
 && rm -rf /root/.npm
COPY gen gen
COPY packages/chassis/src packages/chassis/src
ENV NODE_ENV=production

FROM dependencies AS provision
COPY services/orders/src/subscriptions.ts services/orders/src/
COPY services/payments/src/subscriptions.ts services/payments/src/
COPY tools/provision tools/provision
USER node
CMD ["node", "tools/provision/main.ts"]

FROM dependencies AS service
ARG SERVICE
COPY services/${SERVICE}/src services/${SERVICE}/src
WORKDIR /app/services/${SERVICE}
ENV HOST=0.0.0.0 PORT=8080
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD [ "node", "--eval", \
  "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1))" ]
CMD ["node", "src/main.ts"]
