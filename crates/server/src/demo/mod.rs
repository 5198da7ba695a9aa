//! `headwater demo`: replays a month of real flights over HTTP, shows views following, and checks every answer.
//!
//! The demo is a client like any other: it starts a server in this process and from then on only talks HTTP to it.
//! Reading order:

/// What each view must say, computed in plain code.
mod answers;
/// What there is to say on the command line.
pub mod args;
/// Values of rows, as they are compared.
mod cell;
/// Each view beside the plain code's answer and the server's batch query.
mod check;
/// The requests that the demo makes.
mod client;
/// The data that the binary carries, parsed.
mod data;
/// What is shown while events flow.
mod display;
/// The month as events in event-time order, cut into hours.
mod events;
/// Latencies and their percentiles.
mod latency;
/// The program, and each view's query over the base tables.
mod program;
/// Pushing the events over several connections.
mod replay;
/// What is printed at the end.
mod summary;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

pub use args::DemoArgs;

use client::{Client, DemoError};
use data::Data;
use display::Display;

/// Connections that push at once.
const CONNECTIONS: usize = 4;
/// Seconds that the month takes where somebody watches.
const WATCHED_SECONDS: u64 = 20;

/// Runs the demo against a server that has just been started at `address`; `wait_for_stop` returns when the user
/// wants to end it. The exit code is not zero if any check failed.
pub fn run(args: &DemoArgs, address: &str, wait_for_stop: impl FnOnce()) -> ExitCode {
    match play(args, address) {
        Ok(all_equal) => {
            if all_equal && args.stays() {
                summary::what_to_try(address);
                wait_for_stop();
            }
            if all_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("headwater demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything but staying up; says whether all checks passed.
fn play(args: &DemoArgs, address: &str) -> Result<bool, DemoError> {
    let data = Data::embedded();
    let client = Client::new(address);
    println!("headwater demo: {} departures of January 2013, replayed over HTTP", data.flights.len());
    client.set_program(program::TEXT)?;
    client.push_csv_gz("airlines", data::AIRLINES)?;
    client.push_csv_gz("planes", data::PLANES)?;
    println!("program set: {} views; reference data pushed as gzip CSV", program::views().len());

    let hours = events::by_hour(&data, CONNECTIONS);
    let pace = Duration::from_secs(args.seconds.unwrap_or(if is_watched() { WATCHED_SECONDS } else { 0 }));
    let display = Display::new(is_watched(), &hours);
    let replayed = replay::run(&client, &hours, pace, &display);
    display.finish();
    let replayed = replayed?;

    let checks = check::every_view(&client, &data)?;
    summary::print(&replayed, &checks, pace);
    Ok(checks.iter().all(check::Check::passed) && replayed.stale_reads == 0)
}

fn is_watched() -> bool {
    std::io::stdout().is_terminal()
}
