use std::time::Duration;

use super::CONNECTIONS;
use super::check::Check;
use super::replay::Replayed;

/// What the demo did, in numbers.
pub(super) fn print(replayed: &Replayed, checks: &[Check], pace: Duration) {
    let seconds = replayed.took.as_secs_f64();
    println!();
    println!(
        "{} events in {seconds:.1} s: {:.0} records/s over {CONNECTIONS} connections{}",
        replayed.events,
        replayed.events as f64 / seconds.max(f64::EPSILON),
        if pace.is_zero() {
            String::new()
        } else {
            format!(", slowed down to take at least {} s", pace.as_secs())
        }
    );
    println!(
        "{} pushes, each durable and in every view when answered: p50 {}, p99 {}",
        replayed.pushes.count(),
        shown(replayed.pushes.percentile(50)),
        shown(replayed.pushes.percentile(99))
    );
    println!(
        "{} rows read back right after their push, {} stale: push and read p50 {}, p99 {}",
        replayed.written_and_read.count(),
        replayed.stale_reads,
        shown(replayed.written_and_read.percentile(50)),
        shown(replayed.written_and_read.percentile(99))
    );
    println!();
    checks.iter().for_each(print_check);
    let equal = checks.iter().filter(|check| check.passed()).count();
    println!(
        "{equal} of {} views equal to plain code over the files and to a batch query over the tables",
        checks.len()
    );
}

fn print_check(check: &Check) {
    let verdict = if check.passed() { "equal" } else { "WRONG" };
    println!("{verdict}  {:<24} {:>4} rows", check.view, check.rows);
    if let Some(difference) = &check.from_plain_code {
        println!("       view: {difference}");
    }
    if let Some(difference) = &check.from_batch_query {
        println!("       batch query: {difference}");
    }
}

/// Commands that work while the server stays up.
pub(super) fn what_to_try(address: &str) {
    let flights = format!("http://{address}/v1/workspaces/flights");
    println!(
        "
The server stays up until Ctrl-C. Try:

  curl {flights}/query -d 'SELECT * FROM delays_by_weather'
  curl {flights}/query -d 'SELECT * FROM punctuality ORDER BY on_time_percent DESC'
  curl {flights}/tables/airlines -d '{{\"carrier\":\"ZZ\",\"name\":\"Zigzag Air\"}}'
  curl {flights}/tables/flights -d '{{\"scheduled\":\"2013-02-01T12:00:00Z\",\"carrier\":\"ZZ\",\"flight\":1,\"origin\":\"JFK\",\"dest\":\"LAX\",\"distance_miles\":2475,\"dep_delay\":999}}'
  curl {flights}/query -d \"SELECT * FROM very_late WHERE airline = 'Zigzag Air'\"
"
    );
}

fn shown(latency: Duration) -> String {
    let micros = latency.as_micros();
    if micros < 10_000 { format!("{micros} µs") } else { format!("{:.1} ms", latency.as_secs_f64() * 1e3) }
}
