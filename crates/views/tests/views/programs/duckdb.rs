//! The same programs against another oracle: DuckDB, over the rows that the tables have in the end.
//!
//! Its interpreter is named by `HEADWATER_ORACLE_PYTHON`, as `cargo xtask test` does. Programs say only what both
//! mean alike (see [`Domain::Portable`]), and floats are multiples of 0.25, so that sums are exact there too.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::generate::{Domain, Generated};
use super::query::Relation;
use super::random::Random;
use super::rules::Hits;
use super::{Case, Content, base_seed};
use crate::value::{Row, Type, Value, canonical, row_text};

/// Programs whose views have rows in the end.
const NON_EMPTY_PROGRAMS: usize = 500;

struct DuckDb {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl DuckDb {
    fn start() -> Option<DuckDb> {
        let python = std::env::var_os("HEADWATER_ORACLE_PYTHON")?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/views/programs/duckdb_oracle.py");
        let mut child =
            Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (requests, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(DuckDb { child, requests, answers: BufReader::new(answers) })
    }

    /// The rows of each view, or DuckDB's error.
    fn ask(
        &mut self,
        generated: &Generated,
        tables: &BTreeMap<String, Vec<Row>>,
    ) -> Result<Vec<Vec<Row>>, String> {
        let views: Vec<&Relation> = generated.views.iter().map(|(relation, _, _)| relation).collect();
        let mut request = String::new();
        for statement in generated.sql().replace("CREATE MATERIALIZED VIEW", "CREATE VIEW").split(";\n") {
            if !statement.is_empty() {
                request += &format!("run {}\n", statement.replace('\n', " "));
            }
        }
        for table in &generated.tables {
            if let Some(insert) = insert(table, &tables[&table.name]) {
                request += &format!("run {insert}\n");
            }
        }
        views.iter().for_each(|view| request += &format!("ask {}\n", select(view)));
        self.requests.write_all((request + "end\n").as_bytes()).unwrap();
        self.requests.flush().unwrap();
        views.iter().map(|view| self.rows(view)).collect()
    }

    fn rows(&mut self, view: &Relation) -> Result<Vec<Row>, String> {
        let mut rows = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "DuckDB's process is gone");
            let line = line.trim_end_matches('\n');
            if line == "end" {
                return Ok(rows);
            }
            if let Some(error) = line.strip_prefix("error ") {
                return Err(error.to_owned());
            }
            let cells = line.split('\t').skip(1).zip(&view.columns);
            rows.push(cells.map(|(cell, (_, kind))| value(cell, *kind)).collect());
        }
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn insert(table: &Relation, rows: &[Row]) -> Option<String> {
    let literal = |(value, (_, kind)): (&Value, &(String, Type))| match (value, kind) {
        (Value::Null, _) => "NULL".to_owned(),
        (Value::Bool(bool), _) => bool.to_string(),
        (Value::Whole(digits), Type::Decimal { scale, .. }) => format!("{digits}e-{scale}::{}", kind.sql()),
        (Value::Whole(days), Type::Date) => format!("DATE '1970-01-01' + ({days})"),
        (Value::Whole(whole), _) => whole.to_string(),
        (Value::Float(float), _) => format!("{float:?}"),
        (Value::Text(text), _) => format!("'{text}'"),
    };
    let row = |row: &Row| {
        format!("({})", row.iter().zip(&table.columns).map(literal).collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    (!rows.is_empty()).then(|| format!("INSERT INTO {} VALUES {}", table.name, rows.join(", ")))
}

/// All rows of a view, each column as a text that [`value`] reads.
fn select(view: &Relation) -> String {
    let column = |(name, kind): &(String, Type)| match kind {
        Type::Date => format!("CAST({name} - DATE '1970-01-01' AS VARCHAR)"),
        Type::Decimal { scale, .. } => format!("CAST(CAST({name} AS DECIMAL(38, {scale})) AS VARCHAR)"),
        _ => format!("CAST({name} AS VARCHAR)"),
    };
    format!("SELECT {} FROM {}", view.columns.iter().map(column).collect::<Vec<_>>().join(", "), view.name)
}

fn value(cell: &str, kind: Type) -> Value {
    match kind {
        _ if cell == "\\N" => Value::Null,
        Type::Bool => Value::Bool(cell == "true"),
        Type::Double => Value::Float(canonical(cell.parse().unwrap())),
        Type::Text => Value::Text(cell.to_owned()),
        Type::Decimal { .. } => Value::Whole(cell.replace('.', "").parse().unwrap()),
        Type::Int | Type::Big | Type::Date => Value::Whole(cell.parse().unwrap()),
    }
}

/// What became of one program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    /// Its views were compared, and one has rows.
    Rows,
    /// Its views were compared, and all are empty.
    Empty,
    /// It was refused for a name that stands twice.
    Refused,
    /// A number grew out of its type, which DuckDB refuses as a whole.
    OutOfRange,
}

fn run(seed: u64, hits: &mut Hits, duckdb: &mut DuckDb) -> Outcome {
    let mut random = Random::new(seed);
    let Some(mut case) = Case::new(seed, &mut random, Domain::Portable) else { return Outcome::Refused };
    case.step(&mut random, BTreeMap::new());
    for _ in 0..2 + random.below(5) {
        let changes = case.random_changes(&mut random);
        case.step(&mut random, changes);
    }
    let answers = match duckdb.ask(&case.generated, &case.tables) {
        Err(error) if error.starts_with("Out of Range Error") => return Outcome::OutOfRange,
        answers => answers.unwrap_or_else(|error| panic!("seed {seed}\n{}\n{error}", case.generated.sql())),
    };
    hits.count(&case.program);
    let mut outcome = Outcome::Empty;
    for ((relation, _, materialized), rows) in case.generated.views.iter().zip(answers) {
        if !materialized {
            continue;
        }
        let mut expected = Content::new();
        rows.iter().for_each(|row| *expected.entry(row_text(row)).or_default() += 1);
        let found = case.views.get(&relation.name).cloned().unwrap_or_default();
        let context = || format!("seed {seed}, {}\n{}", relation.name, case.generated.sql());
        assert_eq!(found, expected, "{}\n{:#?}", context(), case.tables);
        if !found.is_empty() {
            outcome = Outcome::Rows;
        }
    }
    outcome
}

#[test]
fn changes_add_up_to_what_duckdb_computes() {
    let Some(mut duckdb) = DuckDb::start() else {
        println!(
            "skipped: no DuckDB ({NON_EMPTY_PROGRAMS} programs); HEADWATER_ORACLE_PYTHON names a Python that has it"
        );
        return;
    };
    let mut hits = Hits::default();
    if let Ok(seed) = std::env::var("HEADWATER_SEED") {
        println!("{:?}", run(seed.parse().unwrap(), &mut hits, &mut duckdb));
        return;
    }
    let first_seed = base_seed();
    let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
    for seed in first_seed.. {
        *outcomes.entry(run(seed, &mut hits, &mut duckdb)).or_default() += 1;
        if outcomes.get(&Outcome::Rows).is_some_and(|count| *count == NON_EMPTY_PROGRAMS) {
            break;
        }
        assert!(
            seed - first_seed < 4 * NON_EMPTY_PROGRAMS as u64,
            "too few programs have rows: {outcomes:?}"
        );
    }
    println!("DuckDB, seeds from {first_seed}: {outcomes:?}\n{hits}");
    hits.assert_all_hit();
}
