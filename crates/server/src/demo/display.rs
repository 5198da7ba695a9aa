use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Instant;

use chrono::DateTime;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sonic_rs::{JsonValueTrait, Value};

use super::client::{Client, integer};
use super::events::Hour;

const SHOWN_ROWS: usize = 8;
const SHOWN_QUERY: &str = "SELECT airline, departures, on_time, avg_delay, worst_delay FROM airline_delays \
                           ORDER BY departures DESC, airline LIMIT 8";
/// Without a terminal: days between two lines.
const DAYS_PER_LINE: i64 = 5;

/// What is seen while events flow: a bar and a table on a terminal, else a line now and then.
pub(super) struct Display {
    events_all: usize,
    events_done: AtomicUsize,
    /// Seconds since 1970 that the replay has come to.
    clock: AtomicI64,
    started: Instant,
    form: Form,
}

enum Form {
    Terminal { bar: ProgressBar, rows: Vec<ProgressBar> },
    Lines { next_at: Mutex<i64> },
}

impl Display {
    /// Nothing is shown before the first refresh.
    pub(super) fn new(is_terminal: bool, hours: &[Hour<'_>]) -> Display {
        let events_all = hours.iter().map(Hour::count).sum();
        let starts = hours.first().map_or(0, |hour| hour.starts);
        let form = if is_terminal {
            terminal(events_all)
        } else {
            Form::Lines { next_at: Mutex::new(starts + DAYS_PER_LINE * 86_400) }
        };
        Display {
            events_all,
            events_done: AtomicUsize::new(0),
            clock: AtomicI64::new(starts),
            started: Instant::now(),
            form,
        }
    }

    /// So many events more are acknowledged, of the hour that starts then.
    pub(super) fn advance(&self, events: usize, hour_starts: i64) {
        self.events_done.fetch_add(events, Ordering::Relaxed);
        self.clock.fetch_max(hour_starts, Ordering::Relaxed);
    }

    /// Asks the server for the view and shows it.
    pub(super) fn refresh(&self, client: &Client) {
        let clock = self.clock.load(Ordering::Relaxed);
        let done = self.events_done.load(Ordering::Relaxed);
        match &self.form {
            Form::Terminal { bar, rows } => {
                self.show(bar);
                // A query that fails now will fail again when the answers are checked, where it counts.
                for (row, line) in rows[1..].iter().zip(client.query(SHOWN_QUERY).unwrap_or_default()) {
                    row.set_message(shown_row(&line));
                }
            }
            Form::Lines { next_at } => {
                let mut next_at = next_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if clock >= *next_at {
                    *next_at = clock + DAYS_PER_LINE * 86_400;
                    println!("{}  {done} of {} events acknowledged", shown_time(clock), self.events_all);
                }
            }
        }
    }

    /// Leaves the last picture on the screen.
    pub(super) fn finish(&self) {
        if let Form::Terminal { bar, rows } = &self.form {
            self.show(bar);
            rows.iter().for_each(ProgressBar::abandon);
            bar.abandon();
            println!();
        }
    }

    fn show(&self, bar: &ProgressBar) {
        let done = self.events_done.load(Ordering::Relaxed);
        let per_second = done as f64 / self.started.elapsed().as_secs_f64().max(f64::EPSILON);
        bar.set_position(done as u64);
        bar.set_message(format!("{per_second:>7.0}/s  {}", shown_time(self.clock.load(Ordering::Relaxed))));
    }
}

fn terminal(events_all: usize) -> Form {
    let style = |template: &str| {
        ProgressStyle::with_template(template).expect("the templates of this file are well-formed")
    };
    let screen = MultiProgress::new();
    let bar = screen.add(ProgressBar::new(events_all as u64));
    bar.set_style(style("{bar:36} {pos}/{len} events {msg}"));
    let rows: Vec<ProgressBar> = (0..=SHOWN_ROWS).map(|_| screen.add(ProgressBar::new_spinner())).collect();
    rows.iter().for_each(|row| row.set_style(style("{msg}")));
    rows[0].set_message(format!(
        "{:<28} {:>11} {:>9} {:>10} {:>8}",
        "airline", "departures", "on time", "avg delay", "worst"
    ));
    Form::Terminal { bar, rows }
}

fn shown_row(row: &Value) -> String {
    let number = |column| integer(row, column).unwrap_or_default();
    let (departures, on_time) = (number("departures"), number("on_time"));
    let percent = on_time as f64 * 100.0 / departures.max(1) as f64;
    let delay = row.get("avg_delay").and_then(|v| v.as_f64()).unwrap_or_default();
    let airline = row.get("airline").and_then(|v| v.as_str()).unwrap_or_default();
    format!(
        "{airline:<28} {departures:>11} {percent:>7.1} % {delay:>6.1} min {:>4} min",
        number("worst_delay")
    )
}

fn shown_time(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0)
        .map_or(String::new(), |time| time.format("%a %-d %b %Y %H:%M").to_string())
}
