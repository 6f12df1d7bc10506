"""The loop's rounds: a tenth of the traffic for a revision, corrections, the line that decides; or back by itself."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.harness.frame import say
from benchmarks.harness.metrics import by_labels
from benchmarks.registry.loop_runbook import WORSE, Runbook
from benchmarks.registry.loop_traffic import Tally, Traffic

FOLDER, HTTP = 1, 2  # which command of the page's third step makes the split
_FOLLOWS = 30.0  # seconds in which a server sees what was written
_SCORES = "examples-given-lines.json"
_ENDLESS = 1_000_000


@dataclass
class Loop:
    """`pictures`: of a round; `after`: whose revision is looked at once it was decided; `most`: until a failing
    revision must have gone back; `pause`: seconds between two pictures of a sender while a revision is evaluated."""

    book: Runbook
    traffic: Traffic
    pictures: int
    after: int
    most: int
    pause: float

    def before(self, old: str, new: str, measured: bool = False) -> dict[str, Any]:
        """Step 2: F1 on the examples held back, and whether the page says to stop. measured: `old` is already."""
        scores = self.book.folder / "adapters" / self.book.adapter
        if not measured:
            self.book.run(2, 1, old, new)
        code = self.book.run(2, 2, old, new, may=(0, WORSE))
        row = compared(*(json.loads((scores / each / _SCORES).read_text("utf-8")) for each in (old, new)))
        say(f"before anybody is served: {row}, exit code {code}")
        return {"old": old, "new": new, **row, "exit_code": code}

    def judged(self, old: str, new: str, by: int) -> dict[str, Any]:
        """Steps 3 and 4: split, traffic, corrections, evaluation on them, the deciding line; then who answers."""
        sent = self._split(old, new, by, lambda: self.traffic.send(self.pictures, correct=True))
        row: dict[str, Any] = {"old": old, "new": new, "split_by": "HTTP" if by == HTTP else "folder", **told(sent)}
        if set(self._serving()) == {old}:
            say("it went back by itself before anybody judged it")
            return {**row, "went_back_by_itself": True, "decided": old, "lost": sent.lost, "as_decided": True}
        self.book.run(4, 1, old, new)
        self.book.run(4, 2, old, new)
        during = self._decide(old, new)
        runs = self.book.folder / "runs"
        row |= compared(*(json.loads((runs / each / _SCORES).read_text("utf-8")) for each in ("old", "new")))
        decided = old if row["worse"] else new
        self._until({decided: 1.0})
        last = self.traffic.send(self.after)
        row |= {"decided": decided, "as_decided": set(last.answered) == {decided}}
        row |= {"answered_while_it_was_decided": dict(during.answered), "answered_after": dict(last.answered)}
        row |= {"refused": dict((sent + during + last).refused), "lost": (sent + during + last).lost}
        say(f"{new} over {old}: {row}")
        return row

    def failing(self, old: str, new: str) -> dict[str, Any]:
        """Step 3 with a revision whose answers cannot be read: it goes back by itself while traffic runs."""
        split = threading.Event()
        before = self._rollbacks()

        def traffic() -> Tally:
            return self.traffic.send(self.most, over=lambda: split.is_set() and set(self._serving()) == {old})

        sent = self._split(old, new, FOLDER, traffic, split)
        gone = set(self._serving()) == {old}
        last = self.traffic.send(self.after)
        row = {
            "old": old, "new": new, "split_by": "folder", **told(sent), "went_back_by_itself": gone,
            "automatic_rollbacks": self._rollbacks() - before, "answered_after": dict(last.answered),
            "as_decided": gone and set(last.answered) == {old}, "refused": dict((sent + last).refused),
            "lost": (sent + last).lost,
        }  # fmt: skip
        say(f"a failing one: {row}")
        return row

    def _split(self, old: str, new: str, by: int, traffic: Any, made: threading.Event | None = None) -> Tally:
        """The split is made while the traffic runs."""
        with ThreadPoolExecutor(1) as beside:
            sent = beside.submit(traffic)
            try:
                self.book.run(3, by, old, new)
                self._until({old: 1 - self.book.share / 100, new: self.book.share / 100})
            finally:
                if made is not None:
                    made.set()
            done: Tally = sent.result()
        return done

    def _decide(self, old: str, new: str) -> Tally:
        """The deciding line, with some traffic beside it."""
        decided = threading.Event()
        with ThreadPoolExecutor(1) as beside:
            slow = beside.submit(self.traffic.send, _ENDLESS, over=decided.is_set, pause=self.pause)
            try:
                self.book.run(4, 3, old, new)
            finally:
                decided.set()
            return slow.result()

    def _until(self, wanted: Mapping[str, float]) -> None:
        """Raises RuntimeError where the server does not serve that soon."""
        ends = time.monotonic() + _FOLLOWS
        while time.monotonic() < ends:
            shares = self._serving()
            if shares.keys() == wanted.keys() and all(abs(shares[one] - wanted[one]) < 0.001 for one in wanted):
                return
            time.sleep(0.2)
        raise RuntimeError(f"The server serves {self._serving()} and not {dict(wanted)}.")

    def _serving(self) -> dict[str, float]:
        shown = httpx.get(f"{self.book.server}/v1/adapters/{self.book.adapter}", timeout=60).raise_for_status()
        return dict(shown.json()["serving"])

    def _rollbacks(self) -> int:
        text = httpx.get(f"{self.book.server}/metrics", timeout=60).raise_for_status().text
        name = f'cni_server_rollbacks_total{{adapter="{self.book.adapter}",reason="automatic"}}'
        return round(by_labels(text).get(name, 0))


def told(sent: Tally) -> dict[str, Any]:
    """What a round's traffic was."""
    return {
        "pictures": sum(sent.answered.values()) + sent.lost,
        "answered": dict(sent.answered),
        "corrected": {name: count for name, count in sent.corrected.items() if count},
        "fields_corrected": sent.fields_corrected,
    }


def compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Of two results of `evaluate-examples`: how many examples, F1 in percent, and whether the new one is worse."""
    f1 = {name: scores["rows"][-1]["f1"] for name, scores in (("old", old), ("new", new))}
    letters = {name: scores["rows"][-1]["f1_letters"] for name, scores in (("old", old), ("new", new))}
    return {
        "examples": new["examples"],
        "f1": {name: round(100 * value, 1) for name, value in f1.items()},
        "f1_letters": {name: round(100 * value, 1) for name, value in letters.items()},
        "worse": f1["new"] < f1["old"],
    }
