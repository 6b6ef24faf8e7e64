//! Starts the program; everything is in the library.

use std::process::ExitCode;

/// Gives memory back to the system and wastes less of it than the system's own with many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    noren::cli::main()
}
