# Build: docker build -t freshet .      Run: compose.yaml, or docs/operations.md
FROM maven:3.9-eclipse-temurin-17 AS build
WORKDIR /build
COPY pom.xml application.properties ./
COPY src src
COPY routes routes
COPY sql sql
COPY client client
RUN mvn -B -ntp -DskipTests package

FROM eclipse-temurin:17-jre
RUN useradd --system --uid 10001 --create-home --home-dir /freshet --shell /usr/sbin/nologin freshet
WORKDIR /freshet
COPY --from=build /build/target/freshet.jar /build/target/freshet ./
COPY application.properties ./
COPY routes routes
# Its classes as this image's Java has them in memory (docs/operations.md). A broken route file ends the build here.
RUN ./freshet check routes
USER freshet
# Outside of loopback Freshet wants a key: INTERNAL_API_KEY
ENV FRESHET_HOST=0.0.0.0 FRESHET_PORT=4000
EXPOSE 4000
# It hands back what is in flight within 20 s: docker run --stop-timeout 25
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$FRESHET_PORT \
        && printf 'GET /observe/health/ready HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 \
        && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["./freshet"]
