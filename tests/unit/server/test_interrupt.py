"""A start that is interrupted ends, in the API server's process alone."""

import asyncio
import signal
import sys
from types import ModuleType, SimpleNamespace

import pytest

from server.vllm.interrupt import end_while_starting


def _main(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    main = ModuleType("__main__")
    vars(main)["__spec__"] = SimpleNamespace(name=name)

    async def run_server_worker(number: int) -> None:
        signal.raise_signal(number)

    vars(main)["run_server_worker"] = run_server_worker
    monkeypatch.setitem(sys.modules, "__main__", main)
    return main


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_an_exit_that_nobody_takes_for_a_keyboard_interrupt(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = _main("vllm.entrypoints.launchers.api_server.entry", monkeypatch)
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    end_while_starting()
    once = vars(main)["run_server_worker"]
    end_while_starting()
    assert vars(main)["run_server_worker"] is once
    try:
        with pytest.raises(SystemExit) as ended:
            asyncio.run(once(number))
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert ended.value.code == 128 + number


def test_other_processes_keep_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    main = _main("pytest.__main__", monkeypatch)
    theirs = vars(main)["run_server_worker"]
    end_while_starting()
    assert vars(main)["run_server_worker"] is theirs
