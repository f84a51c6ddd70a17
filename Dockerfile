# The base is pinned by its exact version. To pin the bytes too, append the digest that
# `docker buildx imagetools inspect denoland/deno:2.9.6` prints: denoland/deno:2.9.6@sha256:...
FROM denoland/deno:2.9.6 AS build
ENV DENO_DIR=/deno-dir
WORKDIR /app
COPY deno.json deno.lock ./
COPY src ./src
# Fetches what main.ts reaches and nothing else, by the lock; the image then runs without a registry.
RUN deno install --frozen --entrypoint src/main.ts && chmod -R a+rX,go-w /app /deno-dir

FROM denoland/deno:2.9.6
COPY --from=build /deno-dir /deno-dir
COPY --from=build /app /app
# 1993 is the user "deno" of the base image. By number, so that Kubernetes can see that it is not root.
RUN mkdir -p /data && chown 1993:1993 /data && chmod 700 /data
USER 1993:1993
WORKDIR /app
ENV DENO_DIR=/deno-dir \
    DENO_NO_UPDATE_CHECK=1 \
    AUTH_AI_HOST=0.0.0.0 \
    AUTH_AI_PORT=3000 \
    AUTH_AI_DATA_DIR=/data \
    AUTH_AI_SHUTDOWN_GRACE_SECONDS=8
# `docker stop` kills after 10 seconds; raise both together for longer answers.
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["deno", "run", "--no-config", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env=AUTH_AI_PORT", "data:text/javascript,const answer = await fetch(`http://127.0.0.1:${Deno.env.get('AUTH_AI_PORT')}/readyz`); Deno.exit(answer.ok ? 0 : 1)"]
ENTRYPOINT ["deno", "run", "--quiet", "--no-prompt", "--cached-only", "--frozen", "--allow-net", "--allow-env=AUTH_AI_*,AIRELAYS_*,AIRELAY_*,OPENAI_ENDPOINT_*,HOME,HTTPS_PROXY,https_proxy,HTTP_PROXY,http_proxy,ALL_PROXY,all_proxy", "--ignore-env", "--allow-read=/data", "--allow-write=/data", "src/main.ts"]
CMD ["serve", "--init"]
