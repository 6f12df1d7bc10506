"""What hostile files cost the front: memory at its peak while each is decoded, and what it is answered with.

    python -m benchmarks.front.hostile_inputs --out benchmarks/results/hostile_inputs.json

Each file is decoded in a process of its own, as a reader's thread would do it with the default settings. `peak_mib` is
how far that process' memory rose above what it was with the file in it, or what the process that draws a PDF took.
The last line is one JSON document.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from adapters.provenance import stamp
from benchmarks.front.hostile_pictures import PICTURES

# The front's own process: it knows nothing of benchmarks, and these know it by its command lines alone.
_CHILD = """
import json, resource, sys, time
from pathlib import Path
from ocr_frontend.errors import FrontError
from ocr_frontend.ocr.images import decode
from ocr_frontend.settings import Settings

def resident(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024

limits = Settings().limits()
decode(Path(sys.argv[1]).read_bytes(), limits)  # what is loaded once
data = Path(sys.argv[2]).read_bytes()
before, began = resident("VmRSS"), time.perf_counter()
try:
    decoded = decode(data, limits)
    outcome = f"read at {decoded.pixels.shape[1]} x {decoded.pixels.shape[0]}"
except FrontError as error:
    outcome = f"{error.status} {error.code}"
seconds = round(time.perf_counter() - began, 2)
helper = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024  # of a PDF's own process
peak = max(0, resident("VmHWM") - before, helper)
print(json.dumps({"outcome": outcome, "peak_mib": peak, "limit_mib": limits.decode_bytes >> 20, "seconds": seconds}))
"""
_DIED = {"outcome": "died", "peak_mib": 0, "limit_mib": 0, "seconds": 0}
_WARM = "PNG, senseless EXIF"
_RESULT = Path("benchmarks/results/hostile_inputs.json")


def main() -> int:
    """Run all of them; 1 where a process died, or one took more than is given to a picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.front.hostile_inputs", description=__doc__)
    parser.formatter_class = argparse.RawTextHelpFormatter
    parser.add_argument("--out", type=Path, default=_RESULT, help="default: %(default)s")
    args, before = parser.parse_args(), stamp()
    with tempfile.TemporaryDirectory() as folder:
        warm, sent = Path(folder, "warm"), Path(folder, "sent")
        warm.write_bytes(PICTURES[_WARM]())
        rows = [_measure(name, warm, sent) for name in PICTURES]
    result = {"benchmark": "hostile_inputs", "inputs": rows, **before}
    for row in rows:
        print(f"{row['input']:<36}{row['bytes']:>10} {row['peak_mib']:>6} MiB {row['seconds']:>6} s  {row['outcome']}")
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return 1 if any(row["outcome"] == "died" or row["peak_mib"] > row["limit_mib"] for row in rows) else 0


def _measure(name: str, warm: Path, sent: Path) -> dict[str, Any]:
    sent.write_bytes(PICTURES[name]())
    command = [sys.executable, "-c", _CHILD, str(warm), str(sent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = json.loads(done.stdout) if done.returncode == 0 else _DIED
    return {"input": name, "bytes": sent.stat().st_size, **said}


if __name__ == "__main__":
    sys.exit(main())
