//! The binary `headwater`.

use std::process::ExitCode;

/// Serves many small allocations from many threads faster than the system's allocator, and gives memory back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    headwater_server::cli::run()
}
