# One image; the command picks the role: `docker run zwrotka:1.0.0 services.mailbox`, `... services.frontdoor mail`.
FROM python:3.11-slim-bookworm AS build
RUN python -m venv /venv
COPY requirements.txt /build/requirements.txt
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
    --require-hashes -r /build/requirements.txt
COPY protos/zwrotka /app/protos/zwrotka
COPY clients/python/zwrotka_client /app/clients/python/zwrotka_client
COPY profiles /app/profiles
COPY services /app/services
# The file system is read-only where the image runs: what is not compiled now would be at every start and probe.
RUN /venv/bin/python -m compileall -q /app

FROM python:3.11-slim-bookworm
RUN install -d -m 700 -o 10001 -g 10001 /zwrotka /zwrotka/certificates /zwrotka/keys /zwrotka/outgoing
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app:/app/protos:/app/clients/python \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ZWROTKA_HOME=/zwrotka \
    ZWROTKA_LISTEN=0.0.0.0
USER 10001:10001
ENTRYPOINT ["python", "-m"]
CMD ["services", "settings"]
