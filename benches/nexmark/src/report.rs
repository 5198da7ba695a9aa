use crate::measure::Speed;
use crate::queries::Query;

/// All that was measured of one query.
pub(crate) struct Measured {
    pub(crate) query: &'static Query,
    pub(crate) headwater: Runs,
    /// Headwater with the rows of the tables stored as well.
    pub(crate) keeping: Runs,
    pub(crate) compiled: Runs,
}

/// The rounds of one side.
#[derive(Default)]
pub(crate) struct Runs {
    pub(crate) speeds: Vec<Speed>,
    pub(crate) peak_bytes: Option<i64>,
}

impl Measured {
    pub(crate) fn new(query: &'static Query) -> Measured {
        let runs = Runs::default;
        Measured { query, headwater: runs(), keeping: runs(), compiled: runs() }
    }

    fn cells(&self) -> Vec<String> {
        let (ours, theirs) = (&self.headwater, &self.compiled);
        let (rate, cpu_rate) =
            (|s: &Speed| s.events_per_second / 1e6, |s: &Speed| s.events_per_cpu_second / 1e6);
        vec![
            self.query.name.to_owned(),
            self.query.does.to_owned(),
            number(ours.median(rate), 2),
            number(theirs.median(rate), 2),
            number(ratio(ours, theirs, rate), 2),
            number(ratio(ours, theirs, cpu_rate), 2),
            number(self.keeping.median(rate), 2),
            number(ours.mebibytes(), 0),
            number(theirs.mebibytes(), 0),
            pair(ours.median(|s| s.p50_us), ours.median(|s| s.p99_us)),
            pair(theirs.median(|s| s.p50_us), theirs.median(|s| s.p99_us)),
        ]
    }
}

impl Runs {
    fn median(&self, value: impl Fn(&Speed) -> f64) -> f64 {
        let mut values: Vec<f64> = self.speeds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        match values.len() {
            0 => f64::NAN,
            length => f64::midpoint(values[(length - 1) / 2], values[length / 2]),
        }
    }

    fn mebibytes(&self) -> f64 {
        self.peak_bytes.map_or(f64::NAN, |bytes| bytes as f64 / f64::from(1 << 20))
    }
}

fn ratio(ours: &Runs, theirs: &Runs, value: impl Fn(&Speed) -> f64 + Copy) -> f64 {
    ours.median(value) / theirs.median(value)
}

fn number(value: f64, digits: usize) -> String {
    if value.is_nan() { "–".to_owned() } else { format!("{value:.digits$}") }
}

fn pair(p50: f64, p99: f64) -> String {
    if p50.is_nan() { "–".to_owned() } else { format!("{p50:.0} / {p99:.0}") }
}

const HEADINGS: [&str; 11] = [
    "query",
    "does",
    "Headwater, M events/s",
    "compiled",
    "ratio",
    "by CPU time",
    "tables kept too",
    "peak MiB",
    "compiled",
    "1-row p50 / p99 µs",
    "compiled",
];

/// A Markdown table whose columns are aligned.
pub(crate) fn table(measured: &[Measured]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned).to_vec()];
    rows.extend(measured.iter().map(Measured::cells));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    rows.insert(1, rule);
    let line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    rows.iter().map(line).collect()
}
