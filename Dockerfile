# The image of every Tonnage process: `tonnage serve`, `tonnage retrain`, `tonnage migrate`.
FROM python:3.12-slim-bookworm AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /tonnage
RUN python3 -m pip install --no-cache-dir "uv==0.13.9"
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --locked --no-dev --no-install-project
COPY app app
COPY forecasting forecasting
COPY ingestion ingestion
COPY retrain retrain
COPY tonnage tonnage
RUN uv sync --locked --no-dev --no-editable

FROM python:3.12-slim-bookworm
# libgomp: LightGBM; libodbc2, tdsodbc: SQL Server through the free driver; libltdl7, libkrb5, libgssapi: through
# Microsoft's, which mssql-python brings.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libgomp1=12.* libodbc2=2.* tdsodbc=1.* libltdl7=2.* libkrb5-3=1.* libgssapi-krb5-2=1.* \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home tonnage \
    && install --directory --owner=tonnage /data
COPY --from=build --chown=root:root /tonnage/.venv /tonnage/.venv
# Kept with every run: docker build --build-arg COMMIT=$(git rev-parse HEAD) .
ARG COMMIT=""
ENV PATH=/tonnage/.venv/bin:$PATH TONNAGE_HOME=/data TONNAGE_COMMIT=$COMMIT PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["tonnage"]
CMD ["serve"]
