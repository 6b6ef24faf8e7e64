"""The bucket, and the two caches before it: nginx as Debian has it, and `noren edge`."""

import hashlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from edge_objects import Object, Objects
from machine import cpu_seconds, forget_peak, memory
from server import PATIENCE, Failure, free_port

WORKERS = 2
BOUND = "4 GB"
TYPES = "types { image/jpeg jpg; video/mp4 mp4; } default_type application/octet-stream;"
# What both need so that the load is what ends a connection, and a thousand clients may come from one address.
PER_CONNECTION, CONNECTIONS = 1_000_000, 4_096

# tcp_nopush is off as nginx itself has it: Debian's "on" lets answers of some 100 KB wait 40 ms for wrk's delayed ACK.
NGINX = """
daemon off;
{user}
worker_processes {workers};
worker_rlimit_nofile 65536;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections {connections}; }}
http {{
  {types}
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  sendfile on;
  tcp_nopush off;
  keepalive_timeout 65;
  keepalive_requests {requests};
{inner}
}}
"""

CACHE = """
  access_log off;
  proxy_cache_path {folder}/cache levels=1:2 keys_zone=media:64m max_size=4g inactive=90d use_temp_path=off;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl http2;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    ssl_prefer_server_ciphers on;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256;
    location / {{
      limit_except GET {{ deny all; }}
      proxy_http_version 1.1;
      proxy_set_header Connection '';
      proxy_set_header Cookie '';
      proxy_set_header Authorization '';
      proxy_hide_header Set-Cookie;
      proxy_ignore_headers Set-Cookie Cache-Control Expires;
      proxy_pass http://origin/{bucket}$uri;
      proxy_cache media;
      proxy_cache_valid 200 90d;
      proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
      proxy_cache_lock on;
      add_header Cache-Control 'public, max-age=31536000, immutable';
      add_header Access-Control-Allow-Origin '*';
      add_header X-Content-Type-Options nosniff;
      add_header Content-Security-Policy "default-src 'none'; form-action 'none'";
      add_header X-Cache $upstream_cache_status;
    }}
  }}
"""

NOREN = """
[server]
data = "{folder}"
threads = {workers}
log = "warn"
[[listen]]
address = "127.0.0.1:{port}"
[[listen]]
address = "127.0.0.1:{tls_port}"
serve = "https"
[tls]
certificates = [{{ chain = "{chain}", key = "{key}" }}]
[connections]
per_address = {connections}
requests = {requests}
[access_log]
format = "off"
[cache]
path = "{folder}/cache"
max_size = "{bound}"
min_free = "0 B"
[[site]]
[[site.origin]]
bucket = "{bucket}"
endpoint = "http://127.0.0.1:{origin}"
access_key = "{id}"
secret_key = "{secret}"
"""


def need(program: str, package: str) -> str:
    """Where a program is; Debian has it in the package."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise Failure(f"{program} is missing: apt-get install {package}")
    return found


class Process:
    """A server in the foreground with its folder, ports and children."""

    name = ""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.process: subprocess.Popen | None = None

    def command(self) -> list[object]:
        raise NotImplementedError

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "output.log").open("ab") as log:
            self.process = subprocess.Popen([str(word) for word in self.command()], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failure(f"{self.name} has ended: {self.words()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE).close()
                return
            except OSError:
                time.sleep(0.01)
        raise Failure(f"{self.name} does not listen after {PATIENCE} s: {self.words()}")

    def words(self) -> str:
        """The end of what it has said."""
        logs = [self.folder / name for name in ("output.log", "error.log")]
        return "".join(log.read_text(errors="replace")[-1500:] for log in logs if log.exists())

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def pids(self) -> list[int]:
        """The process and its children."""
        if self.process is None or self.process.poll() is not None:
            raise Failure(f"{self.name} has ended: {self.words()}")
        pid = self.process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def cpu(self) -> float:
        return sum(cpu_seconds(pid) for pid in self.pids())

    def forget_peak(self) -> None:
        for pid in self.pids():
            forget_peak(pid)

    def peak(self) -> int:
        """Bytes; what processes share counts in each of them."""
        return sum(memory(pid, "VmHWM") for pid in self.pids())


def nginx(process: Process, inner: str, **facts: object) -> list[object]:
    """The command of an nginx with a configuration of its own."""
    facts |= {"folder": process.folder, "port": process.port, "tls_port": process.tls_port}
    user = "user root root;" if os.getuid() == 0 else ""
    text = NGINX.format(user=user, workers=WORKERS, connections=CONNECTIONS, requests=PER_CONNECTION, types=TYPES,
                        inner=inner.format(**facts), folder=process.folder)
    file = process.folder / "nginx.conf"
    file.write_text(text)
    return [need("nginx", "nginx-light"), "-c", file, "-e", process.folder / "error.log"]


class Origin(Process):
    """A bucket with the objects. It checks the signatures of those who sign, as Noren does, and lets everybody read, as
    nginx does. It tells how often it was asked."""

    name = "the bucket"
    program = Path("bench-bucket")
    access_key, secret_key = "bench-id", "bench-secret"

    def __init__(self, folder: Path, objects: Objects):
        super().__init__(folder)
        self.buckets, self.bucket = objects.files.parent, objects.files.name

    def command(self) -> list[object]:
        return [self.program, "--folder", self.buckets, "--port", self.port, "--access-key", self.access_key,
                "--secret-key", self.secret_key]

    def requests(self) -> int:
        """So far."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/-/requests")
            return int(connection.getresponse().read())
        finally:
            connection.close()


class Cache(Process):
    """One of those that are compared."""

    def __init__(self, folder: Path, origin: Origin, chain_and_key: tuple[Path, Path]):
        super().__init__(folder)
        self.chain, self.key = chain_and_key
        self.origin = origin

    def url(self, protocol: str, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}" if protocol == "http" else f"https://127.0.0.1:{self.tls_port}{path}"

    def empty(self) -> None:
        """Starts anew with nothing cached."""
        self.stop()
        shutil.rmtree(self.folder / "cache", ignore_errors=True)
        self.start()

    def check(self, objects: list[Object]) -> None:
        """Every byte of these must be right."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        for one in objects:
            connection.request("GET", one.path)
            answer = connection.getresponse()
            digest, length = hashlib.sha256(), 0
            while piece := answer.read(1 << 20):
                digest.update(piece)
                length += len(piece)
            if answer.status != 200:
                raise Failure(f"{self.name}: {one.path} is answered with {answer.status}: {self.words()}")
            if digest.hexdigest() != one.digest:
                raise Failure(f"{self.name}: {one.path} has wrong bytes: {length} of {one.size}")
        connection.close()


class Nginx(Cache):
    name = "nginx"

    def command(self) -> list[object]:
        return nginx(self, CACHE, origin=self.origin.port, bucket=self.origin.bucket, chain=self.chain, key=self.key)


class Noren(Cache):
    name = "Noren"
    program = Path("noren")

    def command(self) -> list[object]:
        text = NOREN.format(folder=self.folder, port=self.port, tls_port=self.tls_port, workers=WORKERS, bound=BOUND,
                            connections=CONNECTIONS, requests=PER_CONNECTION, origin=self.origin.port,
                            bucket=self.origin.bucket, id=self.origin.access_key, secret=self.origin.secret_key,
                            chain=self.chain, key=self.key)
        file = self.folder / "edge.toml"
        file.write_text(text)
        return [self.program, "edge", "--config", file]
