use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, SchemaRef, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;

use crate::events::{Auction, Bid, Event, Person};
use crate::side::{Cell, Row};

/// The tables of the benchmark.
pub(crate) const TABLES: &str = "
CREATE TABLE person (id BIGINT, name VARCHAR, email_address VARCHAR, credit_card VARCHAR, city VARCHAR,
    state VARCHAR, date_time TIMESTAMP, extra VARCHAR);
CREATE TABLE auction (id BIGINT, item_name VARCHAR, description VARCHAR, initial_bid BIGINT, reserve BIGINT,
    date_time TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra VARCHAR);
CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR,
    date_time TIMESTAMP, extra VARCHAR);
";

/// The rows that events add to a table; `None` if there are none.
pub(crate) fn batch(table: &str, schema: &SchemaRef, events: &[Event]) -> Option<RecordBatch> {
    let columns = match table {
        "person" => persons(&only(events, |e| if let Event::Person(row) = e { Some(row) } else { None })),
        "auction" => auctions(&only(events, |e| if let Event::Auction(row) = e { Some(row) } else { None })),
        _ => bids(&only(events, |e| if let Event::Bid(row) = e { Some(row) } else { None })),
    };
    let rows = RecordBatch::try_new(schema.clone(), columns).expect("the columns are those of the table");
    (rows.num_rows() > 0).then_some(rows)
}

fn only<'a, T>(events: &'a [Event], row: impl Fn(&'a Event) -> Option<&'a T>) -> Vec<&'a T> {
    events.iter().filter_map(row).collect()
}

fn persons(rows: &[&Person]) -> Vec<ArrayRef> {
    vec![
        integers(rows, |row| row.id),
        texts(rows, |row| &row.name),
        texts(rows, |row| &row.email_address),
        texts(rows, |row| &row.credit_card),
        texts(rows, |row| &row.city),
        texts(rows, |row| &row.state),
        instants(rows, |row| row.date_time),
        texts(rows, |row| &row.extra),
    ]
}

fn auctions(rows: &[&Auction]) -> Vec<ArrayRef> {
    vec![
        integers(rows, |row| row.id),
        texts(rows, |row| &row.item_name),
        texts(rows, |row| &row.description),
        integers(rows, |row| row.initial_bid),
        integers(rows, |row| row.reserve),
        instants(rows, |row| row.date_time),
        instants(rows, |row| row.expires),
        integers(rows, |row| row.seller),
        integers(rows, |row| row.category),
        texts(rows, |row| &row.extra),
    ]
}

fn bids(rows: &[&Bid]) -> Vec<ArrayRef> {
    vec![
        integers(rows, |row| row.auction),
        integers(rows, |row| row.bidder),
        integers(rows, |row| row.price),
        texts(rows, |row| &row.channel),
        texts(rows, |row| &row.url),
        instants(rows, |row| row.date_time),
        texts(rows, |row| &row.extra),
    ]
}

fn integers<T>(rows: &[&T], value: impl Fn(&T) -> i64) -> ArrayRef {
    Arc::new(rows.iter().map(|row| value(row)).collect::<Int64Array>())
}

fn instants<T>(rows: &[&T], value: impl Fn(&T) -> i64) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| value(row))))
}

fn texts<T>(rows: &[&T], value: impl Fn(&T) -> &String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(|row| value(row))))
}

/// The rows of a batch as cells.
pub(crate) fn rows(batch: &RecordBatch) -> Vec<Row> {
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|column| cell(column, row)).collect())
        .collect()
}

fn cell(column: &ArrayRef, row: usize) -> Cell {
    if column.is_null(row) {
        return Cell::Null;
    }
    match column.data_type() {
        DataType::Int64 => Cell::Integer(column.as_primitive::<Int64Type>().value(row)),
        DataType::Date32 => Cell::Integer(column.as_primitive::<Date32Type>().value(row).into()),
        DataType::Timestamp(..) => {
            Cell::Integer(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Float64 => Cell::Float(column.as_primitive::<Float64Type>().value(row).to_bits()),
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row).to_owned()),
        other => panic!("no query of the benchmark gives a {other}"),
    }
}
