"""Where the base model's files are on this machine."""

from pathlib import Path


def find_base_folder(model: str) -> Path | None:
    """The folder itself, or the hub's local snapshot of a name; None when it was never fetched."""
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError, OSError):
        return None
