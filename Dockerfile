FROM node:24-slim AS build
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends clang make python3
COPY package.json package-lock.json .npmrc ./
# The optional packages are a second Node and the embedded PostgreSQL, which production never starts.
RUN npm ci --omit=dev --omit=optional --ignore-scripts
# Compiled for AVX-512 argon2 is twice as fast as its prebuilt binary, for AVX2 a little less. The server takes what its processor can run.
RUN mkdir native && if [ "$(uname -m)" = x86_64 ]; then for MARCH in x86-64-v3 x86-64-v4; do \
      MARCH=$MARCH npm run native && mkdir -p native/$MARCH/build/Release \
      && mv node_modules/argon2/build/Release/argon2.node native/$MARCH/build/Release/ || exit 1; \
    done; rm -r node_modules/argon2/build; fi

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/native native
COPY package.json ./
COPY bin bin
COPY migrations migrations
COPY views views
COPY src src
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://localhost:${process.env.PORT || 3000}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--min-semi-space-size=16", "--max-semi-space-size=16", "--heap-growing-percent=100", "--expose-gc", "bin/gatehouse.js", "start"]
