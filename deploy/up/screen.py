"""What a person sees while it works: phases with elapsed time, a moving line on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from types import TracebackType

_TICK = 0.2  # seconds
_WHEEL = "|/-\\"


class Phase:
    """`with Phase("starting", expected=40) as phase: phase.say("loading weights")`.

    `moving=False` where a child draws on the terminal itself. With `expected` seconds a bar
    shows how far along it usually is; it stops at 99 % rather than lie.
    """

    def __init__(self, title: str, expected: float = 0.0, moving: bool = True) -> None:
        self._title, self._expected, self._detail = title, expected, ""
        self._moving = moving and sys.stderr.isatty()
        self._begun, self._over = time.monotonic(), threading.Event()
        self._painter = threading.Thread(target=self._paint, daemon=True)

    def say(self, detail: str) -> None:
        """Replace the words behind the title."""
        if detail != self._detail and not self._moving:
            _line(f"  {self._title}: {detail} ({self.seconds:.0f} s)")
        self._detail = detail

    @property
    def seconds(self) -> float:
        """Since the phase began."""
        return time.monotonic() - self._begun

    def __enter__(self) -> "Phase":
        if self._moving:
            self._painter.start()
        else:
            _line(f"- {self._title} …")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._moving:
            self._painter.join()
            sys.stderr.write("\r\x1b[K")
        _line(f"{'✓' if kind is None else '✗'} {self._title} ({self.seconds:.1f} s)")

    def _paint(self) -> None:
        turn = 0
        while not self._over.wait(_TICK):
            turn += 1
            sys.stderr.write(
                f"\r\x1b[K{_WHEEL[turn % 4]} {self._title} {self._bar()}{self.seconds:.0f} s  {self._detail}"[:140]
            )
            sys.stderr.flush()

    def _bar(self) -> str:
        if not self._expected:
            return ""
        filled = int(20 * min(0.99, self.seconds / self._expected))
        return f"[{'#' * filled}{'.' * (20 - filled)}] "


def _line(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
