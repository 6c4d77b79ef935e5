"""Run one engine's function in this fresh process and print what it cost as one JSON line."""

from __future__ import annotations

import importlib
import json
import re
import sys
import time
from pathlib import Path


def main() -> None:
    """Run `package.module:function` with the arguments given."""
    where, *arguments = sys.argv[1:]
    module, _, function = where.partition(":")
    started, processor = time.perf_counter(), time.process_time()
    told = getattr(importlib.import_module(module), function)(*arguments)
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    # VmHWM is this program's own; ru_maxrss starts with the size of the process that started it.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    cost = {"seconds": seconds, "processor": processor, "peak_rss_mb": int(peak[1]) / 1024}
    print(json.dumps(cost | (told or {})))  # a function may leave its preparation out by telling its own cost


if __name__ == "__main__":
    main()
