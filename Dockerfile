# The server and the command line, with nothing that only building or testing needs.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --include=dev --no-audit --no-fund
COPY . .
RUN npm run build

FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production TIDINGS_DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/apps/console/dist apps/console/dist
COPY package.json ./
# `npx tidings` of a checkout installs and compiles first; here all is there.
RUN printf '#!/bin/sh\nexec node --enable-source-maps /app/dist/apps/cli/main.js "$@"\n' > /usr/local/bin/tidings \
  && chmod +x /usr/local/bin/tidings
# A volume takes the owner of the folder it is mounted on.
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Not npm: signals and exit codes are the server's own.
CMD ["node", "--enable-source-maps", "dist/apps/server/main.js"]
