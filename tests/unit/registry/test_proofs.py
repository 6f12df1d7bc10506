"""A proof of effect holds for the base as it was rounded, and goes with its revision."""

from pathlib import Path

from adapters.registry.proofs import PROOFS, Proofs

REVISION, FINGERPRINT = "0123456789ab", "f" * 64


def test_what_was_proved_on_the_original_is_not_proved_on_its_rounded_form(tmp_path: Path) -> None:
    original = Proofs(tmp_path, FINGERPRINT)
    rounded = Proofs(tmp_path, FINGERPRINT, "gptq-32")
    original.note(REVISION)
    assert original.has(REVISION) and not rounded.has(REVISION)
    rounded.note(REVISION)
    assert original.has(REVISION) and rounded.has(REVISION)
    assert not Proofs(tmp_path, FINGERPRINT, "int4-32").has(REVISION)
    assert not Proofs(tmp_path, "e" * 64).has(REVISION)


def test_a_revision_that_is_gone_leaves_no_proof(tmp_path: Path) -> None:
    for rounding in ("", "int8"):
        Proofs(tmp_path, FINGERPRINT, rounding).note(REVISION)
    Proofs(tmp_path, FINGERPRINT).note("another")
    Proofs(tmp_path, FINGERPRINT).forget(REVISION)
    assert [path.name for path in (tmp_path / PROOFS).iterdir()] == ["another"]
