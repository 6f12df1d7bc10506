# The router before several model servers. From the repository's root:
#   docker build -f deploy/images/router.Dockerfile -t cni-router:0.1.17 .
# `make pin` writes the digest behind this tag: it can only be had from the image's registry.
ARG PYTHON=docker.io/library/python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
RUN pip install uv==0.13.9 && uv venv /opt/venv
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH
WORKDIR /src
COPY requirements/router.lock requirements/router.lock
RUN uv pip install --no-deps -r requirements/router.lock

FROM ${PYTHON} AS runtime
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin cni
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /
EXPOSE 8000 29000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/liveness', timeout=4)"]
# Its options come from whoever starts it: deploy/kubernetes/components/router, deploy/cluster/router.py.
ENTRYPOINT ["vllm-router"]
