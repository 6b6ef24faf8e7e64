"""Measures `noren storage cp` beside rclone and aws-cli; see `scripts/bench-copy --help`."""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tables
from edge_servers import Process
from machine import ROOT, Machine
from server import Failure
from sites import note

SEED = 5_000
FILES, TOTAL = 5_000, 156_000_000
ID, SECRET = "bench-id", "bench-secret"
MARKS = ("<!-- begin: written by scripts/bench-copy -->", "<!-- end: written by scripts/bench-copy -->")
TEXT = """
Needs noren and bench-bucket: cargo build --release -p noren -p bench
rclone (apt-get install rclone) and aws are measured if they are there.

Examples:
  scripts/bench-copy                          written to docs/benchmarks.md: a few minutes
  scripts/bench-copy --rounds 1 --tools noren,rclone      nothing is written
"""


@dataclass
class Run:
    """One pass of a tool."""

    seconds: float
    cpu: float
    memory: int


class Bucket(Process):
    """An S3 server that takes uploads: s3s-fs."""

    name = "the S3 server"
    program = Path("bench-bucket")

    def command(self) -> list[object]:
        return [self.program, "--writable", "--folder", self.folder / "buckets", "--port", self.port, "--access-key", ID,
                "--secret-key", SECRET]

    def empty(self, name: str) -> None:
        """A server with this bucket alone, and nothing in it."""
        self.stop()
        shutil.rmtree(self.folder / "buckets", ignore_errors=True)
        (self.folder / "buckets" / name).mkdir(parents=True)
        self.start()


def make(folder: Path) -> Path:
    """5,000 files of 156 MB, as a media folder has them."""
    files = folder / "files"
    if (folder / "whole").exists():
        return files
    note(f"making {FILES} files: kept in {files}")
    shutil.rmtree(folder, ignore_errors=True)
    chance = random.Random(SEED)
    sizes = [chance.lognormvariate(0, 1) for _ in range(FILES)]
    for place, size in enumerate(sizes):
        path = files / f"media_attachments/files/{place // 100:03}/{place % 100:03}/original/{chance.randbytes(8).hex()}.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(chance.randbytes(max(1, int(size / sum(sizes) * TOTAL))))
    (folder / "whole").touch()
    return files


def commands(program: Path, files: Path, port: int) -> dict[str, list[object]]:
    endpoint = f"http://127.0.0.1:{port}"
    return {
        "noren": [program, "storage", "cp", "--recursive", files, "bucket:", "--endpoint", endpoint, "--bucket", "noren"],
        "rclone": ["rclone", "sync", "--transfers", "16", files, "b:rclone"],
        "aws": ["aws", "s3", "sync", "--quiet", "--endpoint-url", endpoint, files, "s3://aws"],
    }


def environment(port: int, home: Path) -> dict[str, str]:
    home.mkdir(parents=True, exist_ok=True)
    rclone = {"TYPE": "s3", "PROVIDER": "Other", "ACCESS_KEY_ID": ID, "SECRET_ACCESS_KEY": SECRET,
              "ENDPOINT": f"http://127.0.0.1:{port}"}
    plain = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "RCLONE_", "NOREN_"))}
    return plain | {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1",
                         "RCLONE_CONFIG": "/dev/null"} | {f"RCLONE_CONFIG_B_{key}": text for key, text in rclone.items()}


def measured(command: list[object], variables: dict[str, str], home: Path) -> Run:
    log = home / "output.log"
    started = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen([str(word) for word in command], env=variables, cwd=home, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=out)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failure(f"{command[0]} has ended with {process.returncode}: {log.read_text(errors='replace')[-1500:]}")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def check(bucket: Bucket, name: str) -> None:
    there = [path for path in (bucket.folder / "buckets" / name).rglob("*.png") if path.is_file()]
    total = sum(path.stat().st_size for path in there)
    if len(there) != FILES:
        raise Failure(f"{name} has copied {len(there)} files, {total} bytes")


def table(results: dict[str, list[tuple[Run, Run]]]) -> str:
    lines = ["| tool | first pass, s | CPU s | most resident | second pass, nothing to do, s | CPU s |", "|---|---|---|---|---|---|"]
    for name, rounds in results.items():
        middle = lambda place, key: statistics.median(getattr(one[place], key) for one in rounds)
        cells = [NAMES.get(name, name), f"{middle(0, 'seconds'):.1f}", f"{middle(0, 'cpu'):.1f}",
                 f"{max(one[0].memory for one in rounds) / tables.MEGA:.0f} MB", f"{middle(1, 'seconds'):.1f}",
                 f"{middle(1, 'cpu'):.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


NAMES = {"noren": "noren storage cp", "rclone": "rclone sync, 16 transfers", "aws": "aws s3 sync"}


def versions(program: Path, tools: list[str]) -> str:
    asked = {"noren": [program, "version"], "rclone": ["rclone", "version"], "aws": ["aws", "--version"]}
    first = lambda command: subprocess.run([str(word) for word in command], capture_output=True, text=True,
                                           check=False).stdout.split("\n")[0]
    names = {name: " ".join(first(asked[name]).split()[:2]) for name in tools}
    if "noren" in names and "debug" in program.parts:
        names["noren"] += " (a development build)"
    return ", ".join(names.values())


def bench(options: argparse.Namespace) -> None:
    machine = Machine.here()
    program = options.program.resolve()
    Bucket.program = (options.bucket_program or options.program.parent / "bench-bucket").resolve()
    for one in (program, Bucket.program):
        if not os.access(one, os.X_OK):
            raise Failure(f"{one} is missing: cargo build --release -p noren -p bench")
    tools = [name for name in options.tools.split(",") if name == "noren" or shutil.which(name)]
    files, run = make(options.folder), options.folder / "run"
    bucket = Bucket(run)
    results: dict[str, list[tuple[Run, Run]]] = {name: [] for name in tools}
    try:
        for number in range(options.rounds):
            for name in tools if number % 2 == 0 else reversed(tools):
                bucket.empty(name)
                command, variables = commands(program, files, bucket.port)[name], environment(bucket.port, run / "home")
                first = measured(command, variables, run / "home")
                check(bucket, name)
                results[name].append((first, measured(command, variables, run / "home")))
                note(f"{name}: {first.seconds:.1f} s, then {results[name][-1][1].seconds:.1f} s")
    finally:
        bucket.stop()
        shutil.rmtree(run, ignore_errors=True)
    text = table(results)
    print(text)
    if options.rounds > 1 and options.tools == ALL:
        command = " ".join(["scripts/bench-copy", *sys.argv[1:]])
        tables.write(f"{text}\n\nWith {versions(program, tools)}.", machine, command, MARKS)
        note(f"written to {tables.DOCUMENT}")


ALL = "noren,rclone,aws"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench-copy", epilog=TEXT,
                                     description="Copy a media folder into a bucket, twice, and write docs/benchmarks.md.",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/noren", metavar="FILE",
                        help="a release build of noren (target/release/noren)")
    parser.add_argument("--bucket-program", type=Path, metavar="FILE", help="a release build of bench-bucket (beside it)")
    parser.add_argument("--tools", default=ALL, metavar="LIST", help="of %(default)s; nothing is written unless all")
    parser.add_argument("--rounds", type=int, default=3, metavar="NUMBER", help="of which the median counts (%(default)s)")
    parser.add_argument("--folder", type=Path, default=ROOT / "target/bench/copy", metavar="FOLDER",
                        help="for the files (target/bench/copy)")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        bench(arguments())
    except (Failure, OSError) as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
