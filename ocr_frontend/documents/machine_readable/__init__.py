"""Machine-readable zones, ICAO Doc 9303: TD1 (three lines of thirty) and TD3 (two of forty-four) of any state.

Nothing here knows a document: what a document's zone holds beside the standard's own comes as `Expected`.
"""

from ocr_frontend.documents.machine_readable.find import find_machine_readable
from ocr_frontend.documents.machine_readable.result import ANYTHING, Expected, Format, MachineReadable

__all__ = ["ANYTHING", "Expected", "Format", "MachineReadable", "find_machine_readable"]
