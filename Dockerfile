# The image of ami-exporter:
#   docker build -t ami-exporter .
#   docker run --rm -p 15038:15038 ami-exporter demo
# tests/deploy/test_image.py runs every step below, without Docker.
FROM python:3.13-slim AS build
WORKDIR /opt/build
COPY deploy/docker/build-requirements.txt deploy/docker/requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --only-binary=:all: -r build-requirements.txt \
 && python -m venv --without-pip /opt/ami-exporter \
 && pip --python /opt/ami-exporter/bin/python install --no-cache-dir --require-hashes --only-binary=:all: -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY ami_exporter ./ami_exporter
RUN pip wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir dist . \
 && pip --python /opt/ami-exporter/bin/python install --no-cache-dir --no-deps dist/*.whl

FROM python:3.13-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ami-exporter" \
      org.opencontainers.image.description="Prometheus exporter for the Asterisk PBX, over the Asterisk Manager Interface (AMI)" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/ami-exporter /opt/ami-exporter
# Nothing is written at run time: the root file system may be read-only.
ENV PATH="/opt/ami-exporter/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 15038
STOPSIGNAL SIGTERM
# Another port or web configuration: set AMI_EXPORTER_WEB_LISTEN_ADDRESS and the like, so that both commands see it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["ami-exporter", "healthcheck"]
ENTRYPOINT ["ami-exporter"]
CMD ["--config.file=/etc/ami-exporter/config.yml"]
