# The model server. From the repository's root:
#   docker build -f deploy/images/server.Dockerfile --target cpu -t cni-server:0.2.0-cpu .
#   docker build -f deploy/images/server.Dockerfile --target gpu --build-arg DEVICE=gpu -t cni-server:0.2.0-gpu .
# `make pin` writes the digest behind this tag: it can only be had from the image's registry.
ARG PYTHON=docker.io/library/python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ARG DEVICE=cpu
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
RUN pip install uv==0.13.9 && uv venv /opt/venv
ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH
WORKDIR /src
COPY requirements/ requirements/
# The CPU build of PyTorch lies in PyTorch's own index, which uv knows; the CUDA build is the one on PyPI.
RUN if [ "$DEVICE" = cpu ]; then export UV_TORCH_BACKEND=cpu; fi \
    && uv pip install --no-deps -r "requirements/$DEVICE.lock"
COPY pyproject.toml README.md LICENSE ./
COPY adapters/ adapters/
COPY server/ server/
COPY ocr_frontend/__init__.py ocr_frontend/__init__.py
# What a document is: `python -m adapters` reads it.
COPY ocr_frontend/documents/ ocr_frontend/documents/
COPY benchmarks/__init__.py benchmarks/__init__.py
COPY deploy/__init__.py deploy/__init__.py
RUN uv pip install --no-deps .
# The embedded base model, ready to serve; SERVER_MODEL names another (a mounted folder or a hub name).
RUN mkdir /models && mv "$(XDG_CACHE_HOME=/tmp/cache python -m adapters base embedded)" /models/base

FROM ${PYTHON} AS runtime
RUN apt-get update \
    && apt-get install -y --no-install-recommends libtcmalloc-minimal4 libnuma1 libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin cni \
    && install -d -o cni -g cni /registry /cache
COPY --from=build /opt/venv /opt/venv
COPY --from=build /models /models
# Puts the shipped adapters, which lie in the package, into the registry.
COPY --chmod=0555 deploy/images/server-entry.sh /usr/local/bin/server-entry
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/cache XDG_CACHE_HOME=/cache \
    SERVER_MODEL=/models/base SERVER_MODEL_NAME=SmolLM2-135M-Instruct \
    SERVER_HOST=0.0.0.0 SERVER_PORT=8000 SERVER_ADAPTERS_DIR=/registry SERVER_KEYS_FILE=/run/secrets/server_keys
USER 10001:10001
WORKDIR /cache
EXPOSE 8000
STOPSIGNAL SIGTERM
# A start takes up to a minute on two cores, a large base longer.
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["server-entry"]
CMD ["python", "-m", "server"]

# The kernel of CPU LoRA and decode steps is compiled for the processor at the first start, in a second, and kept in /cache
# (server/cpu_lora/kernel.py). Without it a step of one request takes 17 to 18 instead of 11 to 12 ms (docs/lab-notes.md).
FROM runtime AS cpu
USER 0
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001

# Triton compiles a small C launcher for each kernel when it is first used: it does not work without a C compiler.
FROM runtime AS gpu
# Without --build-arg DEVICE=gpu everything above is the CPU's, and the image would be one that is only called gpu.
RUN python -c "import sys, torch; sys.exit(None if torch.version.cuda else 'This is the CPU build of PyTorch: the target gpu takes --build-arg DEVICE=gpu.')"
USER 0
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
