//! Starts the program; everything is in the library.

use std::process::ExitCode;

/// Wastes less memory than the system's own with many threads. Huge pages are off (feature no_thp): a page of 2 MB for
/// each size of object would take 14 MB of an idle server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    noren::cli::main()
}
