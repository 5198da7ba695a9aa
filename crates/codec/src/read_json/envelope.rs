use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use headwater_types::{IfAbsent, Operation, RecordErrorCode, TableDefinition};

use super::body::ReadRecord;
use super::cursor::{Cursor, Fault};
use super::row::{begin_object, read_row};
use crate::decode::{DecodeOptions, OperationName};
use crate::nearest::Hints;
use crate::problem::{Problem, excerpt};
use crate::records::RecordSink;
use crate::rows::plan::RowPlan;
use crate::rows::row_builder::RowBuilder;

/// Reads records that name their table and operation.
#[derive(Debug)]
pub(crate) struct MixedRows<'t> {
    tables: &'t [Arc<TableDefinition>],
    by_name: HashMap<&'t str, usize>,
    /// One builder per table and options met so far.
    builders: Vec<Target<'t>>,
    /// For each table met so far its builders.
    by_table: HashMap<usize, Vec<usize>>,
    /// The builder whose run is open; all others are empty.
    open: Option<usize>,
    /// The builder that the record being read goes to.
    target: Option<usize>,
    decoded_bytes: usize,
    hints: Hints,
}

#[derive(Debug)]
struct Target<'t> {
    options: DecodeOptions,
    rows: RowBuilder<'t>,
}

/// The fields of one envelope, as far as they were met. They may come in any order.
#[derive(Default)]
struct Envelope<'a> {
    table: Option<Cow<'a, str>>,
    operation: Option<OperationName>,
    if_absent: Option<IfAbsent>,
    /// Where the row stands.
    row: Option<Cursor<'a>>,
}

const FIELDS: [&str; 4] = ["table", "op", "if_absent", "row"];

impl<'t> MixedRows<'t> {
    pub(crate) fn new(tables: &'t [Arc<TableDefinition>]) -> MixedRows<'t> {
        MixedRows {
            tables,
            by_name: tables.iter().enumerate().map(|(index, table)| (table.name.as_str(), index)).collect(),
            builders: Vec::new(),
            by_table: HashMap::new(),
            open: None,
            target: None,
            decoded_bytes: 0,
            hints: Hints::new(),
        }
    }

    fn find_table(&self, name: &str) -> Result<usize, Box<Problem>> {
        self.by_name.get(name).copied().ok_or_else(|| {
            let known = self.tables.iter().map(|table| table.name.as_str());
            Problem::new(
                RecordErrorCode::UnknownTable,
                format!("there is no table '{}'", excerpt(name.as_bytes())),
            )
            .at("table")
            .hint_if(self.hints.did_you_mean(name, known))
        })
    }

    fn find_builder(&mut self, table: usize, options: DecodeOptions) -> Result<usize, Box<Problem>> {
        let of_table = self.by_table.entry(table).or_default();
        if let Some(&found) = of_table.iter().find(|&&builder| self.builders[builder].options == options) {
            return Ok(found);
        }
        let plan = RowPlan::new(&self.tables[table], &options).map_err(|problem| problem.at("op"))?;
        of_table.push(self.builders.len());
        self.builders.push(Target { options, rows: RowBuilder::new(table, plan, self.hints.clone()) });
        Ok(self.builders.len() - 1)
    }

    /// Works on one builder and counts the memory that it took.
    fn with_builder<T>(&mut self, builder: usize, work: impl FnOnce(&mut RowBuilder<'t>) -> T) -> T {
        let rows = &mut self.builders[builder].rows;
        let before = rows.decoded_bytes();
        let result = work(rows);
        self.decoded_bytes += rows.decoded_bytes() - before;
        result
    }
}

impl ReadRecord for MixedRows<'_> {
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let envelope = read_envelope(cursor, &self.hints)?;
        let name =
            envelope.table.as_deref().ok_or_else(|| missing("table", RecordErrorCode::UnknownTable))?;
        let table = self.find_table(name)?;
        let mut row = envelope.row.ok_or_else(|| missing("row", RecordErrorCode::Type))?;
        let operation = envelope.operation.unwrap_or_default();
        if envelope.if_absent.is_some() && operation != OperationName::Patch {
            let problem =
                Problem::new(RecordErrorCode::Operation, "'if_absent' goes with \"op\": \"patch\" only");
            return Err(problem.at("if_absent").hint("leave it out, or patch").into());
        }
        let options = DecodeOptions { operation, if_absent: envelope.if_absent.unwrap_or_default() };
        let target = self.find_builder(table, options)?;
        self.target = Some(target);
        read_row(&mut row, &mut self.builders[target].rows, 1)
    }
}

impl RecordSink for MixedRows<'_> {
    fn commit(&mut self, index: u32, operations: &mut Vec<Operation>) -> Result<(), Box<Problem>> {
        let target = self.target.take().expect("a record that was read has a target");
        let committed = self.with_builder(target, |rows| rows.commit(index, operations));
        if committed.is_err() {
            self.target = Some(target);
            return committed;
        }
        if self.open != Some(target) {
            // The new run holds only this record, so all of the old one comes before it.
            self.flush(operations);
            self.open = Some(target);
        }
        Ok(())
    }

    fn abandon(&mut self) {
        if let Some(target) = self.target.take() {
            self.builders[target].rows.abandon();
        }
    }

    fn flush(&mut self, operations: &mut Vec<Operation>) {
        if let Some(open) = self.open.take() {
            self.with_builder(open, |rows| rows.flush(operations));
        }
    }

    fn decoded_bytes(&self) -> usize {
        self.decoded_bytes
    }

    fn reserve(&mut self, _records: usize, _bytes_max: usize) {
        // One record says nothing about how many more will go to its table.
    }
}

fn read_envelope<'a>(cursor: &mut Cursor<'a>, hints: &Hints) -> Result<Envelope<'a>, Fault> {
    let mut envelope = Envelope::default();
    begin_object(cursor)?;
    if cursor.take(b'}') {
        return Ok(envelope);
    }
    loop {
        let name = cursor.take_name()?.decoded_str();
        let first = match &*name {
            "table" => envelope.table.replace(read_word(cursor, "table")?).is_none(),
            "op" => envelope.operation.replace(read_operation(cursor, hints)?).is_none(),
            "if_absent" => envelope.if_absent.replace(read_if_absent(cursor, hints)?).is_none(),
            "row" => {
                let row = *cursor;
                cursor.skip_value(1)?;
                envelope.row.replace(row).is_none()
            }
            unknown => {
                let message =
                    format!("a record has no field '{}' beside its row", excerpt(unknown.as_bytes()));
                let problem = Problem::new(RecordErrorCode::UnknownField, message).at(unknown);
                return Err(problem.hint_if(hints.did_you_mean(unknown, FIELDS.into_iter())).into());
            }
        };
        if !first {
            let message = format!("field '{name}' occurs twice");
            return Err(Problem::new(RecordErrorCode::DuplicateField, message).at(&name).into());
        }
        if !cursor.another_follows(b'}')? {
            return Ok(envelope);
        }
    }
}

fn read_word<'a>(cursor: &mut Cursor<'a>, field: &'static str) -> Result<Cow<'a, str>, Fault> {
    if cursor.peek() == Some(b'"') {
        return Ok(cursor.take_string("")?.decoded_str());
    }
    Err(Problem::new(RecordErrorCode::Type, format!("'{field}' must be a string")).at(field).into())
}

fn read_operation(cursor: &mut Cursor<'_>, hints: &Hints) -> Result<OperationName, Fault> {
    let word = read_word(cursor, "op")?;
    OperationName::parse(&word).ok_or_else(|| {
        unknown_word("op", "operation", &word, hints.did_you_mean(&word, OperationName::NAMES.into_iter()))
    })
}

fn read_if_absent(cursor: &mut Cursor<'_>, hints: &Hints) -> Result<IfAbsent, Fault> {
    let word = read_word(cursor, "if_absent")?;
    match &*word {
        "error" => Ok(IfAbsent::Error),
        "ignore" => Ok(IfAbsent::Ignore),
        "insert" => Ok(IfAbsent::Insert),
        _ => {
            let hint = hints.did_you_mean(&word, ["error", "ignore", "insert"].into_iter());
            Err(unknown_word("if_absent", "value of 'if_absent'", &word, hint))
        }
    }
}

fn unknown_word(field: &str, noun: &str, word: &str, hint: Option<String>) -> Fault {
    Problem::new(RecordErrorCode::Operation, format!("'{}' is no {noun}", excerpt(word.as_bytes())))
        .at(field)
        .hint_if(hint)
        .into()
}

fn missing(field: &str, code: RecordErrorCode) -> Box<Problem> {
    Problem::new(code, format!("the record has no field '{field}'"))
        .at(field)
        .hint("write {\"table\": …, \"op\": …, \"row\": {…}}")
}
