"""Every setting of the front: environment variables `OCR_FRONT_…`, read here and nowhere else.

Built once at start, frozen, handed on as an argument.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from adapters.cgroup import usable_cores
from ocr_frontend.extraction.confidence import SHIPPED
from ocr_frontend.ocr.limits import Limits
from ocr_frontend.ocr.onnx_models import cache_root
from ocr_frontend.ocr.quality import ADVICE
from ocr_frontend.ocr.reader import OcrOptions
from ocr_frontend.ocr.script import Script

PREFIX = "OCR_FRONT_"
_FEW_CORES = 4  # on which OCR and the model server are in each other's way


class SettingsError(Exception):
    """One line that names the variable and what is wrong with it."""


class Settings(BaseSettings):
    """Defaults fit one machine that runs the model server too."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    host: str = Field("127.0.0.1", description="address to listen on; beyond loopback it takes keys")
    port: int = Field(8080, ge=1, le=65535, description="port to listen on")
    keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field((), description="bearer keys, separated by commas")
    keys_file: Path | None = Field(None, description="file of hashed keys, the model server's form (API docs)")
    keys_seconds: float = Field(1.0, gt=0, le=60, description="seconds between two looks at the keys file")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="names of this machine, with commas, for a service without keys"
    )
    client_key: SecretStr | None = Field(None, description="the key that `extract --url` sends to a running front")
    server_url: str = Field(
        "http://127.0.0.1:8000", pattern=r"^https?://[^\s/]+(/\S*)?$", description="the model server"
    )
    server_key: SecretStr | None = Field(None, description="the model server's inference key")
    server_metrics_key: SecretStr | None = Field(None, description="its metrics key, where it has one: for /dashboard")
    model: str = Field("cni", min_length=1, description="model when a request names none")
    cache: Path = Field(default_factory=cache_root, description="where the OCR model folders are written")

    ocr_engine: Literal["auto", "openvino", "onnxruntime", "paddle"] = Field(
        "auto", description="auto: openvino where the processor has bfloat16; paddle: official models"
    )
    ocr_detection: str | None = Field(None, description="official detection model: a name or a folder")
    ocr_recognition: str | None = Field(None, description="official recognition model: a name or a folder")
    ocr_det_side: int = Field(960, ge=64, le=4000, description="longest side that detection works at, pixels")
    ocr_rec_width: int = Field(320, ge=48, le=3200, description="least width of a line for recognition, pixels")
    ocr_rec_batch: int = Field(6, ge=1, le=256, description="lines recognised together")
    ocr_script: Script = Field("latin", description="whose characters are read: `latin`, or `any` that the model knows")
    ocr_workers: int = Field(
        default_factory=lambda: max(1, usable_cores() // 4), ge=1, le=64, description="images read at once"
    )
    ocr_threads: int | None = Field(
        None, ge=1, le=256, description="threads of one worker; by default the cores, shared out"
    )
    take_turns: bool | None = Field(
        None, description="read, then ask: by default where the model server is on this machine, of 4 cores at most"
    )
    ocr_queue: int = Field(16, ge=0, le=10_000, description="images that may wait for a worker")
    ocr_seconds: float = Field(30.0, gt=0, le=3600, description="seconds that an image may wait and be read")
    ocr_stuck_seconds: float = Field(20.0, gt=0, le=3600, description="seconds past those until a reader is replaced")

    min_sharpness: float = Field(0.4, ge=0, le=1, description="sharpness below which a photo gets an advice, 0 to 1")
    min_glare: float = Field(0.5, ge=0, le=1, description="the same for glare; 1: no burnt-out spots")
    min_resolution: float = Field(0.45, ge=0, le=1, description="the same for resolution; 1: text of 24 pixels")
    min_edges: float = Field(0.1, ge=0, le=1, description="the same for edges; 1: a margin of 2 % around the text")

    max_bytes: int = Field(20_000_000, ge=1024, description="largest file of an image, bytes")
    max_pixels: int = Field(50_000_000, ge=1024, le=170_000_000, description="largest image, pixels")
    max_side: int = Field(65_500, ge=64, description="longest side of an image, pixels")
    work_pixels: int = Field(12_500_000, ge=250_000, description="a larger picture is read at so many pixels")
    decode_bytes: int = Field(400_000_000, ge=10_000_000, description="memory that decoding pictures may take, bytes")
    max_requests: int = Field(64, ge=1, description="requests worked on at once, in all stages")
    max_uploads: int = Field(256, ge=1, description="requests at once, those still being received too")
    upload_bytes: int = Field(300_000_000, ge=1024, description="bytes of all uploads in memory at once")
    key_share: float = Field(0.6, gt=0, le=1, description="share of places and bytes that one of several keys may hold")
    memory_limit: int = Field(0, ge=0, description="resident bytes that stop uploads; 0: 90 % of a container's")
    request_seconds: float = Field(120.0, gt=0, le=3600, description="seconds of a whole request from its first byte")
    max_lines: int = Field(100, ge=1, le=100, description="OCR lines that go into a prompt")
    max_tokens: int = Field(512, ge=16, le=8192, description="longest answer, tokens")
    jobs_embedded: bool = Field(True, description="false: several fronts, so jobs only with OCR_FRONT_JOBS_DATABASE")
    jobs_database: SecretStr | None = Field(None, description="PostgreSQL that several fronts share jobs in")
    jobs_file: Path | None = Field(None, description="SQLite file of jobs; in memory without one")
    jobs_key: SecretStr | None = Field(None, description="encrypts jobs: 32 bytes in base64; commas: older ones")
    jobs_seconds: float = Field(3600, gt=0, le=604_800, description="seconds that results are kept once a job is done")
    jobs_wait_seconds: float = Field(86_400, gt=0, le=604_800, description="seconds until an unread image is given up")
    jobs_images: int = Field(100, ge=1, le=1000, description="files in one job, at most")
    jobs_kept: int = Field(100, ge=0, description="jobs of one key that are not done, at most")
    jobs_bytes: int = Field(200_000_000, ge=1024, description="bytes of files that wait in jobs")
    jobs_key_bytes: int = Field(120_000_000, ge=1024, description="of these, one key's")
    jobs_patience: float = Field(3600, ge=0, le=86_400, description="seconds a job's image waits for the model server")
    corrections: bool = Field(False, description="keep answers, so that PUT /v1/results/{id} can correct them")
    corrections_seconds: float = Field(2_592_000, gt=0, le=31_536_000, description="seconds that such answers are kept")
    callback_private: bool = Field(False, description="callback_url may name addresses inside a network")
    upload_seconds: float = Field(60.0, gt=0, le=3600, description="seconds for receiving an image")
    places: int = Field(4, ge=1, le=1000, description="servers of a fleet that one model's cards meet on, at most")
    llm_seconds: float = Field(60.0, gt=0, le=3600, description="seconds for an answer of the model server")
    access_log: Path | None = Field(None, description="file that says which key read whose data when; off without one")
    log_format: Literal["text", "json"] = Field("text", description="json: one object a line")
    otlp_endpoint: str = Field("", pattern=r"^(https?://\S+)?$", description="OpenTelemetry collector of traces (off)")
    retry_seconds: float = Field(0.2, ge=0, le=60, description="seconds before the one retry while the server is away")
    breaker_failures: int = Field(
        5, ge=0, le=1000, description="failures in a row, then the server is let be; 0: never"
    )
    breaker_seconds: float = Field(
        5.0, ge=0, le=3600, description="seconds until a server that was let be is tried again"
    )
    models_seconds: float = Field(3.0, ge=0, le=3600, description="seconds that the list of models is kept")
    logprobs: int | None = Field(0, ge=0, le=20, description="log-probabilities beside the tokens' own, for confidence")
    documents: Path | None = Field(None, description="folder of document files (.yaml) beside the built-in ones")
    rerank: bool = Field(True, description="weigh by labels and places which lines say a field, against the model too")
    calibration: Path = Field(SHIPPED, description="weights of the confidence, written by adapters calibrate")

    @field_validator("keys", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(key for key in (part.strip() for part in value.split(",")) if key)
            if isinstance(value, str)
            else value
        )

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if not self.keys and self.keys_file is None and not _is_loopback(self.host):
            raise ValueError(
                f"{PREFIX}KEYS or {PREFIX}KEYS_FILE must hold a key before {PREFIX}HOST may be {self.host}"
            )
        if (self.ocr_detection is None) != (self.ocr_recognition is None):
            raise ValueError(f"{PREFIX}OCR_DETECTION and {PREFIX}OCR_RECOGNITION go together")
        if self.jobs_key is None and (self.jobs_file is not None or self.jobs_database is not None):
            raise ValueError(
                f"{PREFIX}JOBS_KEY has to be set where jobs are kept: personal data is encrypted there. "
                "Make one with: openssl rand -base64 32"
            )
        return self

    def limits(self) -> Limits:
        """Of one picture."""
        return Limits(
            pixels=self.max_pixels,
            side=self.max_side,
            work_pixels=self.work_pixels,
            decode_bytes=self.decode_bytes,
            detection_side=self.ocr_det_side,
        )

    def thresholds(self) -> dict[str, float]:
        """Of the photo's quality, by check."""
        return {name: getattr(self, f"min_{name}") for name in ADVICE}

    def in_turns(self) -> bool:
        """Whether OCR and the model server wait for each other."""
        if self.take_turns is not None:
            return self.take_turns
        return usable_cores() <= _FEW_CORES and _is_loopback(urlsplit(self.server_url).hostname or "")

    def ocr_options(self) -> OcrOptions:
        """What one reader needs."""
        return OcrOptions(
            cache=self.cache,
            engine=self.ocr_engine,
            detection=self.ocr_detection,
            recognition=self.ocr_recognition,
            det_side=self.ocr_det_side,
            rec_width=self.ocr_rec_width,
            rec_batch=self.ocr_rec_batch,
            script=self.ocr_script,
            threads=self.ocr_threads or max(1, usable_cores() // self.ocr_workers),
        )


def load_settings(**overrides: object) -> Settings:
    """From the environment; `overrides` (the command line) win. Raises SettingsError; no value of a key is in it."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = f"{PREFIX}{str(first['loc'][0]).upper()}: " if first["loc"] else ""
        raise SettingsError(name + first["msg"].removeprefix("Value error, ")) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
