# chatfeed for use with a Kafka cluster. No Java in here, so kafka.brokers must be configured.
ARG NODE_VERSION=20

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /app
# The dependencies first: they change less often than the code. The code is built below, not by npm.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && chmod +x dist/main.js && npm prune --omit=dev --ignore-scripts

FROM node:${NODE_VERSION}-slim
ENV NODE_ENV=production
COPY --from=build /app/package.json /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY schemas /app/schemas
COPY broker /app/broker
# chatfeed.yaml is looked for in the working directory, and what is kept lies in .chatfeed below it.
RUN ln -s /app/dist/main.js /usr/local/bin/chatfeed \
  && mkdir -p /srv/chatfeed/.chatfeed \
  && chown -R node:node /srv/chatfeed
USER node
WORKDIR /srv/chatfeed
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8787/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["chatfeed"]
CMD ["up"]
