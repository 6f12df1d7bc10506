"""The commands of `python -m adapters`, each a module with `add_parser(subparsers)`."""

from adapters.data import cards, record
from adapters.evaluation import command as evaluate
from adapters.training import command as train

ALL = (cards, record, train, evaluate)
