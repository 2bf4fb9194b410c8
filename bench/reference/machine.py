"""Which machine this is, by the names of the suite's manifests."""

import os
import platform
import re
from pathlib import Path

# What tells a processor from others of its name, by Linux's word and ours: on x86-64 and on arm64.
MARKS = (
    (("cpu family", "family"), ("model", "model")),
    (("CPU implementer", "implementer"), ("CPU part", "part")),
)


def machine():
    """Processor and cores; `processor_model` is absent where the system does not tell."""
    cpuinfo = read_cpuinfo()
    known = {"processor": field(cpuinfo, "model name") or platform.processor() or "unknown"}
    for marks in MARKS:
        if all(field(cpuinfo, name) for name, _ in marks):
            words = [f"{word} {field(cpuinfo, name)}" for name, word in marks]
            known["processor_model"] = ", ".join(words)
            break
    return {**known, "cores": os.cpu_count()}


def read_cpuinfo():
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def field(cpuinfo, name):
    """What it says under a name of the first processor that has it; "" if none has."""
    found = re.search(rf"^{name}[ \t]*:(.*)$", cpuinfo, re.MULTILINE)
    return found.group(1).strip() if found else ""
