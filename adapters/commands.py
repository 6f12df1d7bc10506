"""The commands of `python -m adapters`, each a module with `add_parser(subparsers)`."""

from adapters.adopt import command as adopt
from adapters.adopt import serving
from adapters.data import command as cards
from adapters.data import record_ocr
from adapters.doctor import command as doctor
from adapters.evaluation import calibrate, detect, kinds, pictures, rerank, rotation
from adapters.evaluation import command as evaluate
from adapters.evaluation.examples import command as evaluate_examples
from adapters.hub import card, push
from adapters.new_document import command as new_document
from adapters.quantize import command as quantize
from adapters.registry import command as registry
from adapters.registry import merge
from adapters.search import command as search
from adapters.training import command as train

ALL = (
    doctor,
    cards,
    record_ocr,
    new_document,
    train,
    search,
    adopt,
    serving,
    quantize,
    evaluate,
    evaluate_examples,
    pictures,
    calibrate,
    kinds,
    rerank,
    rotation,
    detect,
    registry,
    merge,
    card,
    push,
)
