"""What the kernel tells about processes and the machine: seconds of CPU, memory, names."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parents[3]


def _stat(pid: int) -> list[str]:
    # The name of the program stands in brackets and may hold anything.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, those that have ended too."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICK


def family_cpu_seconds(pid: int) -> float:
    """The same of a process with its children, those that have ended and been waited for too."""
    fields = _stat(pid)
    total = sum(int(field) for field in fields[11:15]) / TICK
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            total += cpu_seconds(int(child))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def memory(pid: int, name: str = "VmRSS") -> int:
    """Bytes: VmRSS is resident now, VmHWM the most since `forget_peak`."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) * 1024


def share_of_memory(pid: int) -> int:
    """Bytes resident, pages shared with other processes counted in part (Pss)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.M)[1]) * 1024


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


@dataclass
class Machine:
    """Where the figures come from."""

    processor: str
    memory: str
    system: str
    commit: str
    rustc: str
    load: float

    @classmethod
    def here(cls) -> "Machine":
        info = Path("/proc/cpuinfo").read_text()
        model = re.search(r"^model name\s*:\s*(.*)$", info, re.M)
        total = int(re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(), re.M)[1])
        changed = _output("git", "status", "--porcelain", "--", "crates", "migrations", "Cargo.lock")
        commit = _output("git", "rev-parse", "--short", "HEAD") or "unknown"
        return cls(
            processor=f"{os.cpu_count()} × {model[1] if model else platform.processor()}",
            memory=f"{total / 2**20:.0f} GiB",
            system=f"Linux {platform.release()}",
            commit=commit + (" with uncommitted changes" if changed else ""),
            rustc=_output("rustc", "--version"),
            load=os.getloadavg()[0],
        )
