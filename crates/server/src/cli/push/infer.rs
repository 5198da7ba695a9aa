use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use arrow::datatypes::{DataType, Schema, TimeUnit};
use headwater_types::ColumnType;
use headwater_types::limits::COLUMNS_MAX;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::super::error::CliError;
use super::super::split::FileFormat;

/// Names that say that a column tells its record from all others.
const KEY_NAMES: [&str; 4] = ["id", "key", "uuid", "guid"];

/// What the first records of a file say about its columns.
#[derive(Debug, Default)]
pub(super) struct Inferred {
    pub(super) columns: Vec<InferredColumn>,
    pub(super) records: usize,
}

/// A column as the records seen so far need it.
#[derive(Debug)]
pub(super) struct InferredColumn {
    pub(super) name: String,
    /// `None` while there were only NULLs.
    kind: Option<ColumnType>,
    /// Hashes of its values, as long as no two are the same.
    distinct: Option<HashSet<u64>>,
}

impl InferredColumn {
    /// The narrowest type that holds what was seen.
    pub(super) fn column_type(&self) -> ColumnType {
        self.kind.unwrap_or(ColumnType::Varchar)
    }
}

impl Inferred {
    /// Columns from records in text.
    pub(super) fn from_text(body: &[u8], format: FileFormat) -> Result<Inferred, CliError> {
        let mut inference = Inference {
            inferred: Inferred::default(),
            hasher: RandomState::new(),
            is_csv: format == FileFormat::Csv,
        };
        match format {
            FileFormat::Csv => inference.read_csv(body)?,
            FileFormat::Ndjson | FileFormat::Json => inference.read_json(body)?,
        }
        if inference.inferred.columns.is_empty() {
            return Err(CliError::new("the file has no columns to make a table of"));
        }
        Ok(inference.inferred)
    }

    /// Columns from those of an Arrow file.
    pub(super) fn from_schema(schema: &Schema) -> Result<Inferred, CliError> {
        let column = |field: &arrow::datatypes::FieldRef| {
            let kind = match field.data_type() {
                DataType::Null => None,
                data_type => Some(column_type(data_type).ok_or_else(|| {
                    CliError::new(format!(
                        "column {:?} is a {data_type}, which no column of a table holds",
                        field.name()
                    ))
                    .hint("leave it out, or flatten it")
                })?),
            };
            Ok(InferredColumn { name: field.name().clone(), kind, distinct: None })
        };
        let columns = schema.fields().iter().map(column).collect::<Result<_, CliError>>()?;
        Ok(Inferred { columns, records: 0 })
    }

    /// A column that looks as if it told each record from all others.
    pub(super) fn likely_key(&self) -> Option<&str> {
        let distinct = |column: &&InferredColumn| {
            self.records > 1 && column.distinct.as_ref().is_some_and(|values| values.len() == self.records)
        };
        let candidates = self.columns.iter().filter(distinct).map(|column| column.name.as_str());
        let (named, others): (Vec<_>, Vec<_>) =
            candidates.partition(|name| KEY_NAMES.contains(&name.to_ascii_lowercase().as_str()));
        let ends_in_id = |name: &&str| name.to_ascii_lowercase().ends_with("id");
        named.into_iter().next().or_else(|| others.into_iter().find(ends_in_id))
    }
}

struct Inference {
    inferred: Inferred,
    hasher: RandomState,
    /// In CSV every value is a text, so a VARCHAR holds whatever comes together.
    is_csv: bool,
}

impl Inference {
    fn read_csv(&mut self, body: &[u8]) -> Result<(), CliError> {
        let unreadable =
            |error: csv::Error| CliError::new(format!("the file cannot be read as CSV: {error}"));
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let mut reader = csv::Reader::from_reader(body);
        let header = reader.headers().map_err(unreadable)?.clone();
        for name in &header {
            self.column(name)?;
        }
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            for (index, text) in record.iter().enumerate() {
                self.see(index, (!text.is_empty()).then(|| (kind_of_csv(text), text)))?;
            }
            self.inferred.records += 1;
        }
        Ok(())
    }

    fn read_json(&mut self, body: &[u8]) -> Result<(), CliError> {
        let unreadable = |error| CliError::new(format!("the file cannot be read as JSON objects: {error}"));
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        if body.trim_ascii_start().starts_with(b"[") {
            for record in serde_json::from_slice::<Vec<Record>>(body).map_err(unreadable)? {
                self.see_record(&record)?;
            }
            return Ok(());
        }
        for record in serde_json::Deserializer::from_slice(body).into_iter::<Record>() {
            self.see_record(&record.map_err(unreadable)?)?;
        }
        Ok(())
    }

    fn see_record(&mut self, record: &Record) -> Result<(), CliError> {
        for (name, value) in &record.0 {
            let index = self.column(name)?;
            let text = value.to_string();
            let kind = match value {
                Value::Null => None,
                Value::Bool(_) => Some(ColumnType::Boolean),
                Value::Number(_) => Some(kind_of_number(&text).unwrap_or(ColumnType::Double)),
                Value::String(text) => Some(kind_of_time(text).unwrap_or(ColumnType::Varchar)),
                Value::Array(_) | Value::Object(_) => {
                    let error =
                        CliError::new(format!("field {name:?} is nested, which no column of a table is"));
                    return Err(error.hint("flatten the records first, for example with jq"));
                }
            };
            self.see(index, kind.map(|kind| (kind, text.as_str())))?;
        }
        self.inferred.records += 1;
        Ok(())
    }

    /// The place of a column, a new one if there is none of this name.
    fn column(&mut self, name: &str) -> Result<usize, CliError> {
        let columns = &mut self.inferred.columns;
        if let Some(index) = columns.iter().position(|column| column.name == name) {
            return Ok(index);
        }
        if columns.len() == COLUMNS_MAX {
            return Err(CliError::new(format!("the file has more than {COLUMNS_MAX} columns")));
        }
        columns.push(InferredColumn { name: name.to_owned(), kind: None, distinct: Some(HashSet::new()) });
        Ok(columns.len() - 1)
    }

    fn see(&mut self, index: usize, value: Option<(ColumnType, &str)>) -> Result<(), CliError> {
        let hash = value.map(|(_, text)| self.hasher.hash_one(text));
        let Some(column) = self.inferred.columns.get_mut(index) else { return Ok(()) };
        let is_new = hash.is_some_and(|hash| column.distinct.as_mut().is_some_and(|seen| seen.insert(hash)));
        if !is_new {
            column.distinct = None;
        }
        let Some((kind, text)) = value else { return Ok(()) };
        column.kind =
            Some(match column.kind {
                None => kind,
                Some(before) => {
                    both(before, kind).or(self.is_csv.then_some(ColumnType::Varchar)).ok_or_else(|| {
                        CliError::new(format!(
                    "field {:?} is a {before} in some records and {text} in another",
                    column.name
                ))
                .hint("make its values alike, or write the CREATE TABLE yourself and push with --skip-bad")
                    })?
                }
            });
        Ok(())
    }
}

/// A record's fields, in their order.
struct Record(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Record, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Record;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Record(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// The narrowest type that holds values of both; `None` if their JSON forms have none in common.
fn both(one: ColumnType, other: ColumnType) -> Option<ColumnType> {
    let (low, high) = if rank(one) <= rank(other) { (one, other) } else { (other, one) };
    match (low, high) {
        (low, high) if low == high => Some(high),
        (ColumnType::BigInt, ColumnType::Decimal { .. } | ColumnType::Double)
        | (ColumnType::Decimal { .. }, ColumnType::Double)
        | (ColumnType::Timestamp, ColumnType::TimestampNanos) => Some(high),
        // What is written as a string can stay one.
        (ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampNanos, _) => {
            Some(ColumnType::Varchar)
        }
        _ => None,
    }
    .filter(|_| is_string(low) == is_string(high))
}

fn is_string(kind: ColumnType) -> bool {
    matches!(
        kind,
        ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampNanos | ColumnType::Varchar
    )
}

fn rank(kind: ColumnType) -> u8 {
    match kind {
        ColumnType::Boolean => 0,
        ColumnType::BigInt => 1,
        ColumnType::Decimal { .. } => 2,
        ColumnType::Double => 3,
        ColumnType::Date => 4,
        ColumnType::Timestamp => 5,
        ColumnType::TimestampNanos => 6,
        _ => 7,
    }
}

/// The type of a number as JSON writes it.
fn kind_of_number(text: &str) -> Option<ColumnType> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.parse::<i64>() {
        Ok(_) => Some(ColumnType::BigInt),
        Err(_) if digits.len() <= 38 => Some(ColumnType::Decimal { precision: 38, scale: 0 }),
        Err(_) => Some(ColumnType::Double),
    }
}

/// The type of a CSV field.
fn kind_of_csv(text: &str) -> ColumnType {
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return ColumnType::Boolean;
    }
    // Codes like 00712 are no numbers: they would lose their zeros.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let has_leading_zero =
        digits.starts_with('0') && digits.bytes().nth(1).is_some_and(|b| b.is_ascii_digit());
    let is_json_number = !has_leading_zero && serde_json::from_str::<serde_json::Number>(text).is_ok();
    if is_json_number {
        return kind_of_number(text).unwrap_or(ColumnType::Double);
    }
    if matches!(text, "NaN" | "Infinity" | "-Infinity") {
        return ColumnType::Double;
    }
    kind_of_time(text).unwrap_or(ColumnType::Varchar)
}

/// The type of a text that is a date or a timestamp.
fn kind_of_time(text: &str) -> Option<ColumnType> {
    if chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() && text.len() == "2026-11-22".len() {
        return Some(ColumnType::Date);
    }
    let (date, time) = text.split_at_checked("2026-11-22".len())?;
    let time = time.strip_prefix(['T', 't', ' '])?;
    let clock = time.get(.."10:00:00".len())?;
    chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    chrono::NaiveTime::parse_from_str(clock, "%H:%M:%S")
        .ok()
        .filter(|_| clock.ends_with(|c: char| c.is_ascii_digit()))?;
    let rest = &time[clock.len()..];
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("", rest),
    };
    let is_zone = matches!(zone, "" | "Z" | "z")
        || zone.strip_prefix(['+', '-']).is_some_and(|offset| {
            offset.len() == "02:00".len() && chrono::NaiveTime::parse_from_str(offset, "%H:%M").is_ok()
        });
    match fraction.trim_end_matches('0').len() {
        _ if !is_zone || (rest.starts_with('.') && fraction.is_empty()) => None,
        0..=6 => Some(ColumnType::Timestamp),
        7..=9 => Some(ColumnType::TimestampNanos),
        _ => None,
    }
}

/// The type whose columns hold every value of an Arrow type.
fn column_type(data_type: &DataType) -> Option<ColumnType> {
    Some(match data_type {
        DataType::UInt8 => ColumnType::SmallInt,
        DataType::UInt16 => ColumnType::Int,
        DataType::UInt32 => ColumnType::BigInt,
        DataType::UInt64 => ColumnType::Decimal { precision: 20, scale: 0 },
        DataType::Float16 => ColumnType::Real,
        DataType::LargeUtf8 | DataType::Utf8View => ColumnType::Varchar,
        DataType::LargeBinary | DataType::BinaryView => ColumnType::Varbinary,
        DataType::FixedSizeBinary(width) if *width != 16 => ColumnType::Varbinary,
        DataType::Time32(_) | DataType::Time64(_) => ColumnType::Time,
        DataType::Date64 => ColumnType::Timestamp,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => ColumnType::TimestampNanos,
        DataType::Timestamp(_, _) => ColumnType::Timestamp,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            let scale = u8::try_from(*scale).ok()?;
            (*precision <= 38).then_some(ColumnType::Decimal { precision: *precision, scale })?
        }
        DataType::Dictionary(_, values) => column_type(values)?,
        other => ColumnType::from_arrow(other)?,
    })
}

#[cfg(test)]
mod tests;
