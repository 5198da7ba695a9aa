use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use headwater_changes::{
    ChangeLog, ChangeLogOptions, Event, EventKind, Gone, Keep, LiveStream, Order, Position, RelationId,
    Selection, StreamDefinition,
};
use headwater_env::sim::SimDisk;
use headwater_env::{Env, ManualClock, SeededRng};
use headwater_types::{Delta, Lsn, Name, Scan, TimestampMicros, WeightedRows};

/// Number and text, the columns of every relation here.
pub(crate) type Row = (Option<i64>, String);

/// A line as a client reads it: LSN, relation, what, row.
pub(crate) type Line = (u64, String, &'static str, Option<Row>);

/// One step: what it does to relations, or another program.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Deltas(Vec<(u32, Vec<(Row, i64)>)>),
    Program(Vec<(u32, u64)>),
}

/// Relations with even numbers are tables, whose new rows are told in the order of their records.
pub(crate) fn order_of(relation: u32) -> Order {
    if relation.is_multiple_of(2) { Order::Given } else { Order::Bytes }
}

/// Two numbers share a name, as when a relation is replaced by another one.
pub(crate) fn name_of(relation: u32) -> Name {
    Name::new(&format!("r{}", relation / 10)).unwrap()
}

pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("n", DataType::Int64, true),
        Field::new("text", DataType::Utf8, false),
    ]))
}

pub(crate) fn batch(rows: &[Row]) -> RecordBatch {
    let numbers: Int64Array = rows.iter().map(|(n, _)| *n).collect();
    let texts: StringArray = rows.iter().map(|(_, text)| Some(text.as_str())).collect();
    RecordBatch::try_new(schema(), vec![Arc::new(numbers), Arc::new(texts)]).unwrap()
}

fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let numbers = batch.column(0).as_primitive::<Int64Type>();
    let texts = batch.column(1).as_string::<i32>();
    (0..batch.num_rows())
        .map(|row| ((!numbers.is_null(row)).then(|| numbers.value(row)), texts.value(row).to_owned()))
        .collect()
}

/// In parts of three rows, as changes come in parts.
pub(crate) fn delta(rows: &[(Row, i64)]) -> Delta {
    let part = |rows: &[(Row, i64)]| {
        let (rows, weights): (Vec<Row>, Vec<i64>) = rows.iter().cloned().unzip();
        WeightedRows::weighted(batch(&rows), weights)
    };
    Delta { parts: rows.chunks(3).map(part).collect() }
}

fn net(rows: &[(Row, i64)]) -> BTreeMap<Row, i64> {
    let mut net: BTreeMap<Row, i64> = BTreeMap::new();
    for (row, weight) in rows {
        *net.entry(row.clone()).or_default() += weight;
    }
    net
}

/// The lines of a step in one relation, by definition.
fn lines_of(relation: u32, rows: &[(Row, i64)]) -> Vec<(&'static str, Row)> {
    let net = net(rows);
    let mut lines = Vec::new();
    for (row, weight) in net.iter().filter(|(_, weight)| **weight < 0) {
        lines.extend(std::iter::repeat_n(("delete", row.clone()), weight.unsigned_abs() as usize));
    }
    if order_of(relation) == Order::Bytes {
        for (row, weight) in net.iter().filter(|(_, weight)| **weight > 0) {
            lines.extend(std::iter::repeat_n(("insert", row.clone()), *weight as usize));
        }
        return lines;
    }
    let mut left = net;
    for (row, weight) in rows.iter().filter(|(_, weight)| *weight > 0) {
        let left = left.get_mut(row).unwrap();
        let taken = (*weight).min((*left).max(0));
        *left -= taken;
        lines.extend(std::iter::repeat_n(("insert", row.clone()), taken as usize));
    }
    lines
}

/// The change log as a list of lines in memory, with the place of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) lines: Vec<(Position, Line)>,
    live: BTreeMap<u32, u64>,
    rows: HashMap<u32, Vec<Row>>,
}

/// Lines of one relation: what happened, and to which row.
type RelationLines = (u32, Vec<(&'static str, Option<Row>)>);

impl Oracle {
    pub(crate) fn take(&mut self, lsn: u64, step: &Step) {
        let mut lines: Vec<RelationLines> = Vec::new();
        match step {
            Step::Deltas(deltas) => {
                for (relation, rows) in deltas.iter().filter(|(relation, _)| self.live.contains_key(relation))
                {
                    let of_it = lines_of(*relation, rows);
                    lines.push((*relation, of_it.into_iter().map(|(what, row)| (what, Some(row))).collect()));
                }
            }
            Step::Program(program) => {
                let next: BTreeMap<u32, u64> = program.iter().copied().collect();
                let stays = |old: (&u32, &u64)| next.get(old.0) == Some(old.1);
                for (relation, _) in self.live.iter().filter(|old| !stays(*old)) {
                    if !next.keys().any(|new| name_of(*new) == name_of(*relation)) {
                        lines.push((*relation, vec![("end", None)]));
                    }
                }
                for (relation, incarnation) in next.iter().filter(|(r, i)| self.live.get(r) != Some(i)) {
                    let replaces = self.live.keys().any(|old| name_of(*old) == name_of(*relation));
                    let head = if replaces { "replace" } else { "begin" };
                    let rows = first_rows(*relation, *incarnation);
                    self.rows.insert(*relation, rows.clone());
                    let rows = rows.into_iter().map(|row| ("insert", Some(row)));
                    lines.push((*relation, std::iter::once((head, None)).chain(rows).collect()));
                }
                self.live = next;
            }
        }
        lines.sort_by_key(|(relation, _)| *relation);
        for (relation, lines) in lines {
            for (place, (what, row)) in (1..).zip(lines) {
                let position = Position { lsn: Lsn(lsn), relation, lines: place };
                self.lines.push((position, (lsn, name_of(relation).to_string(), what, row)));
            }
        }
    }

    /// The lines of these relations behind a position, up to an LSN.
    pub(crate) fn after(&self, position: Position, selection: &Selection, up_to: u64) -> Vec<Line> {
        let selects = |name: &str| match selection {
            Selection::Names(names) => names.iter().any(|it| it.as_str() == name),
            Selection::All | Selection::Everything => true,
        };
        let behind = self.lines.iter().filter(|(at, line)| *at > position && line.0 <= up_to);
        behind.map(|(_, line)| line.clone()).filter(|line| selects(&line.1)).collect()
    }
}

/// The rows with which a relation begins.
pub(crate) fn first_rows(relation: u32, incarnation: u64) -> Vec<Row> {
    (0..(relation as u64 + incarnation) % 4)
        .map(|n| (Some(n as i64), format!("first {incarnation}")))
        .collect()
}

/// Rows in segments of two.
#[derive(Debug)]
struct Rows(Vec<Row>);

impl Scan for Rows {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn num_rows(&self) -> usize {
        self.0.len()
    }

    fn num_segments(&self) -> usize {
        self.0.len().div_ceil(2)
    }

    fn segment(&self, index: usize, _: Option<&[usize]>) -> RecordBatch {
        batch(self.0.chunks(2).nth(index).unwrap())
    }
}

pub(crate) fn live(program: &[(u32, u64)], keep: Keep) -> Vec<LiveStream> {
    let stream = |(relation, incarnation): &(u32, u64)| LiveStream {
        definition: StreamDefinition {
            relation: RelationId(*relation),
            name: name_of(*relation),
            incarnation: Lsn(*incarnation),
            schema: schema(),
        },
        keep,
    };
    program.iter().map(stream).collect()
}

/// A change log over a simulated disk, whose history is a list of steps.
pub(crate) struct World {
    pub(crate) disk: SimDisk,
    pub(crate) log: Arc<ChangeLog>,
    pub(crate) steps: Vec<Step>,
    pub(crate) keep: Keep,
    seed: u64,
}

impl World {
    pub(crate) fn new(keep: Keep) -> World {
        let disk = SimDisk::new();
        let log = open(&disk, Lsn::ZERO, 0);
        World { disk, log, steps: Vec::new(), keep, seed: 0 }
    }

    pub(crate) fn newest(&self) -> u64 {
        self.steps.len() as u64
    }

    pub(crate) fn step(&mut self, step: Step) {
        self.steps.push(step);
        self.hand_over(self.newest());
    }

    /// Every LSN is one second.
    fn hand_over(&self, lsn: u64) {
        let time = TimestampMicros(lsn as i64 * 1_000_000);
        match &self.steps[lsn as usize - 1] {
            Step::Deltas(deltas) => {
                let deltas = deltas.iter().map(|(r, rows)| (RelationId(*r), delta(rows), order_of(*r)));
                self.log.append(Lsn(lsn), time, deltas);
            }
            Step::Program(program) => {
                let rows_of = |relation: RelationId| {
                    let (_, incarnation) = program.iter().find(|(r, _)| *r == relation.0)?;
                    let rows = first_rows(relation.0, *incarnation);
                    Some(Arc::new(Rows(rows)) as Arc<dyn Scan>)
                };
                self.log.change_streams(Lsn(lsn), time, live(program, self.keep), rows_of, []);
            }
        }
        self.log.tend();
    }

    pub(crate) fn flush(&self) {
        self.log.flush_through(Lsn(self.newest())).unwrap();
    }

    /// Another process finds this disk and replays the log from its beginning.
    pub(crate) fn reopen(&mut self, disk: SimDisk) {
        self.seed += 1;
        self.disk = disk;
        self.log = open(&self.disk, Lsn(self.newest()), self.seed);
        (1..=self.newest()).for_each(|lsn| self.hand_over(lsn));
    }

    /// Another process finds the disk, and a log that begins behind this LSN.
    pub(crate) fn reopen_behind(&mut self, lsn: u64) {
        self.seed += 1;
        let program = self.steps.iter().take(lsn as usize).rev().find_map(|step| match step {
            Step::Program(program) => Some(program.clone()),
            Step::Deltas(_) => None,
        });
        let program = live(&program.unwrap_or_default(), self.keep);
        self.log = open_at(&self.disk, Lsn(self.newest()), Lsn(lsn), program, self.seed);
        (lsn + 1..=self.newest()).for_each(|lsn| self.hand_over(lsn));
    }

    /// All lines behind a position, as one follower reads them. `pages` bounds how far it comes.
    pub(crate) fn read(
        &self,
        from: Position,
        selection: &Selection,
        up_to: u64,
        pages: usize,
    ) -> Result<(Vec<Line>, Position), Gone> {
        let mut reader = self.log.reader(selection.clone(), from)?;
        let mut lines = Vec::new();
        for _ in 0..pages {
            if reader.position().lsn > Lsn(up_to) {
                break;
            }
            let page = reader.next_page(Lsn(up_to))?;
            for event in &page.events {
                let of_it = expand(event);
                assert_eq!(of_it.len() as u64, event.num_lines);
                lines.extend(of_it);
            }
        }
        Ok((lines, reader.position()))
    }
}

fn open(disk: &SimDisk, log_end: Lsn, seed: u64) -> Arc<ChangeLog> {
    open_at(disk, log_end, Lsn::ZERO, Vec::new(), seed)
}

fn open_at(disk: &SimDisk, log_end: Lsn, from: Lsn, live: Vec<LiveStream>, seed: u64) -> Arc<ChangeLog> {
    let clock = Arc::new(ManualClock::default());
    let env = Env { disk: Arc::new(disk.clone()), clock, rng: Arc::new(SeededRng::new(seed)) };
    let options = ChangeLogOptions {
        env,
        dir: PathBuf::from("/w/changes"),
        workspace: "w".to_owned(),
        flush_bytes: 6_000,
        bytes_max: u64::MAX,
    };
    ChangeLog::open(options, log_end, from, live).unwrap()
}

fn expand(event: &Event) -> Vec<Line> {
    let line = |what, row| (event.lsn.0, event.stream.name.to_string(), what, row);
    match &event.kind {
        EventKind::Reset { replaces: true } => vec![line("replace", None)],
        EventKind::Reset { replaces: false } => vec![line("begin", None)],
        EventKind::End => vec![line("end", None)],
        EventKind::Lines(lines) => {
            let what = if lines.is_delete { "delete" } else { "insert" };
            let rows = rows_of(&lines.rows).into_iter().enumerate();
            rows.flat_map(|(at, row)| std::iter::repeat_n(line(what, Some(row)), lines.count(at) as usize))
                .collect()
        }
    }
}
