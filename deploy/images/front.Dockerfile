# The OCR front. From the repository's root:
#   docker build -f deploy/images/front.Dockerfile -t cni-front .
# `make pin` writes the digest behind this tag: it can only be had from the image's registry.
ARG PYTHON=docker.io/library/python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
RUN pip install uv==0.13.9 && uv venv /opt/venv
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH
WORKDIR /src
COPY requirements/front.lock requirements/front.lock
RUN uv pip install --no-deps -r requirements/front.lock
COPY pyproject.toml README.md LICENSE ./
COPY ocr_frontend/ ocr_frontend/
# What a container leaves of the machine: both services ask the same file.
COPY adapters/__init__.py adapters/cgroup.py adapters/
COPY server/__init__.py server/__init__.py
# One keys file serves both services.
COPY server/auth/__init__.py server/auth/keys.py server/auth/
COPY benchmarks/__init__.py benchmarks/__init__.py
COPY deploy/__init__.py deploy/__init__.py
RUN uv pip install --no-deps .

FROM ${PYTHON} AS runtime
# OpenCV, as PaddleX wants it, links against these two.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin cni \
    && install -d -o cni -g cni /cache
COPY --from=build /opt/venv /opt/venv
COPY --chmod=0555 deploy/images/front-entry.sh /usr/local/bin/front-entry
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/cache XDG_CACHE_HOME=/cache \
    OCR_FRONT_HOST=0.0.0.0 OCR_FRONT_PORT=8080 OCR_FRONT_SERVER_URL=http://server:8000
USER 10001:10001
WORKDIR /cache
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
ENTRYPOINT ["front-entry"]
CMD ["python", "-m", "ocr_frontend", "serve"]
