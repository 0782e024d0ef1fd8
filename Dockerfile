# syntax=docker/dockerfile:1
# Two images for docker-compose.yml: `darkroom` (the job, Flink and the operator's tool) and `minio`.
# Python packages are pinned in setup.py, Flink and its connectors in darkroom/stack/pins.py, nothing of that here.

# --- MinIO: its upstream publishes sources only; about five minutes on two cores, once ---
FROM golang:1.24-bookworm AS minio-build
ARG MINIO=v0.0.0-20260212201848-7aac2a2c5b7c
RUN CGO_ENABLED=0 go install "github.com/minio/minio@${MINIO}"

FROM debian:bookworm-slim AS minio
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home minio \
    && install --directory --owner minio /data
COPY --from=minio-build /go/bin/minio /usr/local/bin/minio
USER 10001
ENTRYPOINT ["minio"]

# --- the Python environment and the Flink home, with the tools that only building needs ---
FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends maven openjdk-17-jdk-headless \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /src
# The dependencies first: they change seldom, and a change of code must not fetch them again.
COPY setup.py pyproject.toml ./
COPY jobs/__init__.py jobs/
RUN --mount=type=cache,target=/root/.cache/pip pip install .
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip pip install --no-deps --force-reinstall .
RUN --mount=type=cache,target=/root/.m2 python docker/flink_home.py /opt/flink

# --- the image of JobManager, TaskManager, submission and the operator's tool ---
FROM python:3.11-slim-bookworm AS darkroom
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libfribidi0 openjdk-17-jdk-headless \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home darkroom
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/flink /opt/flink
COPY jobs /opt/darkroom/jobs
COPY flink-conf /opt/darkroom/flink-conf
COPY docker /opt/darkroom/docker
RUN install --directory --owner darkroom /opt/flink/log
ENV PATH=/opt/venv/bin:/opt/flink/bin:$PATH \
    FLINK_HOME=/opt/flink \
    FLINK_CONF_DIR=/tmp/flink-conf
WORKDIR /home/darkroom
USER 10001
ENTRYPOINT ["/bin/sh", "/opt/darkroom/docker/entrypoint.sh"]
