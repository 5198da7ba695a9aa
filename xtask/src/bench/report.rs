use std::fmt::Write;
use std::fs;

use super::cases::{Case, Target};
use super::wrk::Run;
use crate::{places, process};

const DOCUMENT: &str = "docs/performance.md";

/// All runs of one case.
pub(crate) struct Measured {
    pub(crate) case: &'static Case,
    pub(crate) runs: Vec<Run>,
}

impl Measured {
    /// No run yet.
    pub(crate) fn new(case: &'static Case) -> Measured {
        Measured { case, runs: Vec::new() }
    }

    fn median(&self, value: impl Fn(&Run) -> f64) -> f64 {
        median(self.runs.iter().map(value).collect())
    }
}

/// The middle value; of an even number the mean of the two middle ones.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// A Markdown table: medians over the rounds, and each case beside the limit of its shape.
pub(crate) fn table(measured: &[Measured]) -> String {
    let mut text = String::from(
        "| records a request | connections | server and table | records/s | of the limit | p50 µs | times the limit's | p99 µs |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for entry in measured {
        let case = entry.case;
        let limit = measured.iter().find(|other| {
            let same = (other.case.records, other.case.connections) == (case.records, case.connections);
            same && other.case.target == Target::Limit
        });
        let [rate, p50, p99] =
            [entry.median(|r| r.records_per_second), entry.median(|r| r.p50_us), entry.median(|r| r.p99_us)];
        let share = limit.map_or(f64::NAN, |l| rate / l.median(|r| r.records_per_second) * 100.0);
        let times = limit.map_or(f64::NAN, |l| p50 / l.median(|r| r.p50_us));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {rate:.0} | {share:.0} % | {p50:.0} | {times:.2} | {p99:.0} |",
            case.records, case.connections, case.name
        );
    }
    text
}

/// Appends the table of pushes.
pub(crate) fn save(table: &str, rounds: usize, seconds: u64) -> Result<(), String> {
    save_below("## Results", &format!("Medians of {rounds} interleaved rounds of {seconds} s"), table)
}

/// Appends a table, with date, commit and machine, to the section of the document that has this heading.
pub(crate) fn save_below(heading: &str, how: &str, table: &str) -> Result<(), String> {
    let date = process::output(&mut process::program("date", &["-u", "+%Y-%m-%d"]))?;
    let commit = process::output(&mut process::program("git", &["rev-parse", "--short", "HEAD"]))?;
    let path = places::repository().join(DOCUMENT);
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {DOCUMENT}: {e}"))?;
    let entry = format!(
        "### {}, commit {}\n\n{}. {how}.\n\n{}\n",
        date.trim(),
        commit.trim(),
        super::machine(),
        table.trim_end()
    );
    let text = with_entry(&text, heading, &entry).ok_or_else(|| format!("{DOCUMENT} has no {heading}"))?;
    fs::write(&path, text).map_err(|e| format!("cannot write {DOCUMENT}: {e}"))
}

/// The text with an entry at the end of the section of this heading.
fn with_entry(text: &str, heading: &str, entry: &str) -> Option<String> {
    let start = text.find(&format!("{heading}\n"))? + heading.len();
    let end = text[start..].find("\n## ").map_or(text.len(), |end| start + end);
    let (section, rest) = (text[..end].trim_end(), &text[end..]);
    Some(format!("{section}\n\n{entry}{rest}"))
}

#[cfg(test)]
mod tests;
