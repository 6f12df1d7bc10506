"""What one app is made of, built once from its settings."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from ocr_frontend.api.admission import MemoryGuard, Places
from ocr_frontend.auth.follow import KeysFile
from ocr_frontend.auth.keys import KeyRing, read_keys
from ocr_frontend.auth.limits import Limiter
from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import DocumentError, Documents, load_documents
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.documents.unanswered import UnansweredLabels
from ocr_frontend.extraction.assemble import Assembled
from ocr_frontend.extraction.checks import faults
from ocr_frontend.extraction.confidence import Calibration, CalibrationError, load_calibration
from ocr_frontend.extraction.knowledge import KnownModels
from ocr_frontend.extraction.llm_step import LlmStep
from ocr_frontend.extraction.pipeline import Pipeline
from ocr_frontend.extraction.reranker.trees import load_trees
from ocr_frontend.jobs.corrections import Corrections
from ocr_frontend.jobs.service import Jobs, build_jobs
from ocr_frontend.llm.breaker import Breaker
from ocr_frontend.llm.catalog import Catalog
from ocr_frontend.llm.client import ModelServer
from ocr_frontend.llm.presence import Presence
from ocr_frontend.observability import telemetry
from ocr_frontend.observability.access_log import AccessLog
from ocr_frontend.observability.metrics import Metrics
from ocr_frontend.ocr.phases import NoPhases, Phases
from ocr_frontend.ocr.pool import OcrPool
from ocr_frontend.ocr.reader import PaddleReader, Reader
from ocr_frontend.settings import PREFIX, Settings, SettingsError

log = logging.getLogger("ocr_frontend")
_PRESENCE_SECONDS = 5.0  # that /ready keeps what the model server said


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that routes use."""

    settings: Settings
    documents: Documents
    http: httpx.AsyncClient
    pool: OcrPool
    server: ModelServer
    catalog: Catalog
    pipeline: Pipeline
    metrics: Metrics
    ring: KeyRing
    limiter: Limiter
    jobs: Jobs | None
    admission: Places
    uploads: Places
    bytes: Places
    memory: MemoryGuard
    presence: Presence
    keys_file: KeysFile | None
    access: AccessLog

    @property
    def corrections(self) -> Corrections | None:
        """None where they are off."""
        return None if self.jobs is None else self.jobs.corrections


def build_service(
    settings: Settings,
    open_reader: Callable[[], Reader] | None,
    http: httpx.AsyncClient | None,
    seen: Callable[[str, DocumentSpec, Assembled], None] | None = None,
) -> Service:
    """Nothing is loaded or connected yet. seen: is told every answer (`Pipeline`).

    Raises SettingsError where a file that a setting names cannot be used."""
    ring = _ring(settings)
    keys_file = _keys_file(settings, ring)
    documents = _documents(settings)
    metrics = Metrics(documents.readable)
    http = http or _client(settings)
    http.event_hooks["request"].append(telemetry.add_headers)
    classifier = Classifier(documents)
    phases = Phases() if settings.in_turns() else NoPhases()
    pool = OcrPool(
        open_reader or (lambda: PaddleReader(settings.ocr_options())),
        readers=settings.ocr_workers,
        queue=settings.ocr_queue,
        seconds=settings.ocr_seconds,
        limits=settings.limits(),
        count_labels=classifier.labels,
        find_unanswered=UnansweredLabels(classifier).find,
        phases=phases,
        stuck=settings.ocr_stuck_seconds,
    )
    metrics.watch("ocr_workers", "OCR workers", lambda: settings.ocr_workers)
    metrics.watch("ocr_queue_limit", "Images that may wait for an OCR worker", lambda: settings.ocr_queue)
    metrics.watch("ocr_queue_depth", "Images that wait for an OCR worker", lambda: pool.waiting)
    metrics.watch("ocr_running", "Images that are being read", lambda: pool.running)
    metrics.watch("ocr_readers", "OCR readers that are loaded and do not hang", lambda: pool.workers)
    metrics.watch("ocr_readers_stuck", "Readers given up because they hang", lambda: pool.stuck)
    metrics.count("ocr_readers_replaced", "Readers given up and replaced", lambda: pool.replaced)
    metrics.count("ocr_load_failures", "Times that a reader could not be loaded", lambda: pool.load_failures)
    metrics.watch("decode_bytes", "Memory that pictures being decoded may take", lambda: pool.gate.used)
    metrics.watch("ready", "1 once the OCR is loaded", lambda: float(pool.ready))
    breaker = Breaker(settings.breaker_failures, settings.breaker_seconds)
    server = ModelServer(
        http,
        settings.llm_seconds,
        settings.logprobs,
        breaker=breaker,
        retry_seconds=settings.retry_seconds,
        places=settings.places,
    )
    metrics.watch("model_server_circuit_open", "1 while the model server is not asked", lambda: float(breaker.open))
    metrics.count("model_server_retries", "Calls repeated because the server was away", lambda: server.retries)
    presence = Presence(server, _PRESENCE_SECONDS)
    catalog = Catalog(server, settings.models_seconds)
    models = KnownModels(documents)
    llm = LlmStep(server, catalog, models, settings.max_lines, settings.max_tokens)
    calibration = _calibration(settings)
    trees = load_trees() if settings.rerank else None
    pipeline = Pipeline(pool, catalog, llm, models, metrics, settings.thresholds(), calibration, trees, phases, seen)
    limiter = Limiter()

    def share() -> float:
        return settings.key_share if ring.several else 1.0

    admission = Places(settings.max_requests, share, "The service is answering as many requests as it takes at once.")
    uploads = Places(settings.max_uploads, share, "The service is receiving as many requests as it takes at once.")
    held = Places(settings.upload_bytes, share, "The service holds as many bytes of images as it takes at once.")
    if keys_file is not None:
        metrics.watch("keys_file_broken", "1 while the keys file cannot be used", lambda: float(keys_file.broken))
    metrics.watch("upload_bytes", "Bytes of uploads in memory", lambda: held.held)
    access = _access(settings)
    metrics.count("access_log_failures", "Lines of the access log that could not be written", lambda: access.failures)
    jobs = build_jobs(settings, pipeline, pool, limiter, ring, metrics, access)
    memory = MemoryGuard(settings.memory_limit)
    metrics.watch("memory_limit_bytes", "Resident bytes that stop uploads; 0: no limit", lambda: memory.limit)
    return Service(
        settings, documents, http, pool, server, catalog, pipeline, metrics, ring, limiter, jobs,
        admission, uploads, held, memory, presence, keys_file, access,
    )  # fmt: skip


def _ring(settings: Settings) -> KeyRing:
    try:
        return read_keys(settings.keys_file, [key.get_secret_value() for key in settings.keys])
    except ValueError as error:
        raise SettingsError(f"{PREFIX}KEYS_FILE: {error}") from None


def _access(settings: Settings) -> AccessLog:
    try:
        return AccessLog(settings.access_log)
    except OSError as error:
        raise SettingsError(f"{PREFIX}ACCESS_LOG: {settings.access_log} cannot be written ({error.strerror})") from None


def _keys_file(settings: Settings, ring: KeyRing) -> KeysFile | None:
    if settings.keys_file is None:
        return None
    plain = [key.get_secret_value() for key in settings.keys]
    return KeysFile(ring, settings.keys_file, plain, settings.keys_seconds)


def _documents(settings: Settings) -> Documents:
    try:
        documents = load_documents(settings.documents)
    except DocumentError as error:
        raise SettingsError(f"{PREFIX}DOCUMENTS: {error}") from None
    if wrong := faults(documents.every.values()):
        raise SettingsError(f"{PREFIX}DOCUMENTS: {wrong[0]}")
    return documents


def _calibration(settings: Settings) -> Calibration:
    try:
        return load_calibration(settings.calibration)
    except CalibrationError as error:
        raise SettingsError(f"{PREFIX}CALIBRATION: {error}") from None


def _client(settings: Settings) -> httpx.AsyncClient:
    """No proxies from the environment: card texts go to the model server and nowhere else."""
    key = settings.server_key
    return httpx.AsyncClient(
        base_url=settings.server_url,
        headers={} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"},
        timeout=httpx.Timeout(settings.llm_seconds, connect=2.0),
        limits=httpx.Limits(max_connections=settings.max_requests + 4),
        trust_env=False,
    )
