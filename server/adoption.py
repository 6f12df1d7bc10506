"""An uploaded PEFT folder with a contract file: adopted for the served base, as `python -m adapters adopt` does it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from adapters.adopt.adopting import Target, adopt
from adapters.adopt.chat import contract_of
from adapters.adopt.contract_file import read_contract_file
from adapters.registry.base_model import BaseModel
from adapters.registry.contents import Taken
from server.base_folder import find_base_folder
from server.errors import NotHere
from server.settings import Settings

Fetch = Callable[[Path], Taken]


def adopting(fetch: Fetch, name: str, contract: bytes, settings: Settings, base: BaseModel) -> Fetch:
    """`fetch`, and what it brought made a revision of `base`. Raises Refused, ServerError, when it is called."""

    def fetch_and_adopt(staging: Path) -> Taken:
        folder = find_base_folder(settings.model)
        if folder is None:
            raise NotHere("The base's own files, which hold its chat template, are not on this machine.")
        target = Target(base, folder, settings.served_name)
        said = contract_of(read_contract_file(contract), folder)
        taken = fetch(staging)
        made = adopt(taken.folder, name, target, said)
        return replace(taken, left_out=(*taken.left_out, *made.embeddings))

    return fetch_and_adopt
