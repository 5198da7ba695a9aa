use std::fmt;

use super::cases::Case;
use crate::process;

/// One run of one case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    /// Records acknowledged per second.
    pub(crate) records_per_second: f64,
    /// Half of the requests took at most so long.
    pub(crate) p50_us: f64,
    /// 99 of 100 requests took at most so long.
    pub(crate) p99_us: f64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>9.0} records/s   p50 {:>7.0} µs   p99 {:>7.0} µs",
            self.records_per_second, self.p50_us, self.p99_us
        )
    }
}

/// Pushes for `seconds` with `benches/push.lua`; any answer that is not 2xx fails the run.
pub(crate) fn run(case: &Case, address: &str, path: &str, seconds: u64) -> Result<Run, String> {
    let connections = case.connections.to_string();
    let threads = case.connections.min(2).to_string();
    let (duration, url) = (format!("{seconds}s"), format!("http://{address}{path}"));
    let arguments =
        ["-t", &threads, "-c", &connections, "-d", &duration, "--latency", "-s", "benches/push.lua", &url];
    let mut command = process::program("wrk", &arguments);
    let printed = process::output(command.env("RECORDS", case.records.to_string()))?;
    parse(&printed, case.records).ok_or_else(|| format!("{}: not a clean run:\n{printed}", case.name))
}

/// `RESULT requests=.. us=.. p50_us=.. p99_us=.. errors=..`; `None` if a request failed.
fn parse(printed: &str, records: u32) -> Option<Run> {
    let line = printed.lines().find_map(|line| line.strip_prefix("RESULT "))?;
    let number = |name: &str| -> Option<f64> {
        line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    };
    if number("errors")? > 0.0 || number("requests")? <= 0.0 {
        return None;
    }
    let seconds = number("us")? / 1e6;
    let records_per_second = number("requests")? * f64::from(records) / seconds;
    Some(Run { records_per_second, p50_us: number("p50_us")?, p99_us: number("p99_us")? })
}

#[cfg(test)]
mod tests;
