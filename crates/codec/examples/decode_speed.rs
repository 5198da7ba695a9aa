//! Prints how fast bodies are decoded, rows are written, and batches go to and from the log's form, on one core.
//!
//! `cargo run --release -p headwater-codec --example decode_speed`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use headwater_codec::write_rows::{RowsFormat, RowsWriter, WriteRowsError};
use headwater_codec::{BodyFormat, DecodeOptions, decode_mixed, decode_table, ipc, json, unzstd};
use headwater_types::{Column, ColumnType, Name, NameError, TableDefinition};

/// How long each figure is measured.
const MEASURE: Duration = Duration::from_millis(700);
const RECORDS: usize = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tables = [Arc::new(events()?)];
    let records: Vec<String> = (0..RECORDS as u64).map(record).collect();
    let ndjson = records.join("\n");
    let array = format!("[{}]", records.join(","));
    let envelopes =
        records.iter().map(|row| format!("{{\"table\":\"events\",\"op\":\"insert\",\"row\":{row}}}\n"));
    let mixed: String = envelopes.collect();
    let reversed: String = (0..RECORDS as u64).map(|k| shuffled_record(k) + "\n").collect();
    let hundred = records[..100].join("\n");
    let csv = csv_of(&records);
    let options = DecodeOptions::default();
    let table = |body: &str, format| {
        decode_table(black_box(body.as_bytes()), format, &tables, 0, &options).expect("the body is valid")
    };
    let batch = table(&ndjson, BodyFormat::Ndjson).operations.remove(0).rows;
    assert_eq!(batch.num_rows(), RECORDS);

    throughput("decode ndjson", ndjson.len(), RECORDS, || table(&ndjson, BodyFormat::Ndjson));
    throughput("decode ndjson told by first bytes", ndjson.len(), RECORDS, || {
        table(&ndjson, BodyFormat::Json)
    });
    throughput("decode ndjson, order of fields varies", reversed.len(), RECORDS, || {
        table(&reversed, BodyFormat::Ndjson)
    });
    throughput("decode array", array.len(), RECORDS, || table(&array, BodyFormat::Json));
    throughput("decode mixed ndjson", mixed.len(), RECORDS, || {
        decode_mixed(black_box(mixed.as_bytes()), &tables).expect("the body is valid")
    });
    throughput("decode csv", csv.len(), RECORDS, || table(&csv, BodyFormat::Csv));
    throughput("decode ndjson, 100 records", hundred.len(), 100, || table(&hundred, BodyFormat::Ndjson));
    throughput("decode ndjson, 1 record", records[0].len(), 1, || table(&records[0], BodyFormat::Ndjson));

    let arrow = written_as(RowsFormat::Arrow, &batch)?;
    throughput("decode arrow", arrow.len(), RECORDS, || {
        decode_table(black_box(&arrow), BodyFormat::Arrow, &tables, 0, &options).expect("the body is valid")
    });
    for format in [RowsFormat::Csv, RowsFormat::Arrow] {
        let bytes = written_as(format, &batch)?.len();
        throughput(&format!("write {format:?}"), bytes, RECORDS, || written_as(format, black_box(&batch)));
    }
    let zstd_body = zstd::bulk::compress(ndjson.as_bytes(), 3)?;
    throughput("unzstd ndjson", ndjson.len(), RECORDS, || unzstd(black_box(&zstd_body)));

    let mut out = Vec::new();
    json::write_rows_ndjson(&batch, &mut out);
    let written = out.len();
    throughput("write ndjson", written, RECORDS, || {
        out.clear();
        json::write_rows_ndjson(black_box(&batch), &mut out);
    });
    for rows in [1, 100, RECORDS] {
        measure_ipc(&batch.slice(0, rows));
    }
    Ok(())
}

fn written_as(format: RowsFormat, batch: &RecordBatch) -> Result<Vec<u8>, WriteRowsError> {
    let mut body = Vec::new();
    let mut writer = RowsWriter::new(format, batch.schema_ref())?;
    writer.write(batch, &mut body)?;
    writer.end(&mut body)?;
    Ok(body)
}

fn measure_ipc(batch: &RecordBatch) {
    let rows = batch.num_rows();
    let bytes = ipc::encode(batch);
    let schema = batch.schema();
    throughput(&format!("ipc encode, {rows} rows"), bytes.len(), rows, || ipc::encode(black_box(batch)));
    throughput(&format!("ipc decode, {rows} rows"), bytes.len(), rows, || {
        ipc::decode(black_box(&bytes), &schema)
    });
}

fn throughput<T>(what: &str, bytes: usize, records: usize, mut work: impl FnMut() -> T) {
    let start = Instant::now();
    let mut times = 0_u32;
    let mut best = Duration::MAX;
    while start.elapsed() < MEASURE {
        let begun = Instant::now();
        black_box(work());
        best = best.min(begun.elapsed());
        times += 1;
    }
    let mean = start.elapsed() / times;
    let megabytes = bytes as f64 / 1e6 / mean.as_secs_f64();
    let records = records as f64 / mean.as_secs_f64();
    println!(
        "{what:40} {megabytes:9.1} MB/s {:8.3} M records/s {:10.2} µs each, {:.2} at best",
        records / 1e6,
        mean.as_secs_f64() * 1e6,
        best.as_secs_f64() * 1e6
    );
}

fn events() -> Result<TableDefinition, NameError> {
    let column = |name: &str, column_type| {
        Ok(Column { name: Name::new(name)?, column_type, nullable: true, default: None })
    };
    Ok(TableDefinition {
        name: Name::new("events")?,
        columns: vec![
            column("user_id", ColumnType::Varchar)?,
            column("timestamp", ColumnType::Timestamp)?,
            column("clicked", ColumnType::BigInt)?,
            column("ad_id", ColumnType::Varchar)?,
            column("price", ColumnType::Double)?,
            column("session", ColumnType::Varchar)?,
        ],
        primary_key: Vec::new(),
        materialized: true,
        retention: None,
        changes: headwater_types::ChangesKept::Usual,
    })
}

/// A well-mixed number that depends on `k` alone.
fn mixed(k: u64) -> u64 {
    let k = (k ^ (k >> 31)).wrapping_mul(0x7fb5_d329_728e_a185);
    (k ^ (k >> 27)).wrapping_mul(0x81da_def4_bc2d_d44d) ^ (k >> 33)
}

fn fields(k: u64) -> [String; 6] {
    let random = mixed(k + 1);
    let second = k % 86_400;
    [
        format!("\"user_id\":\"C{:05}\"", random % 10_000),
        format!(
            "\"timestamp\":\"2023-01-02T{:02}:{:02}:{:02}Z\"",
            second / 3_600,
            second / 60 % 60,
            second % 60
        ),
        format!("\"clicked\":{}", random >> 63),
        format!("\"ad_id\":\"A{:06}\"", (random >> 16) % 1_000_000),
        format!("\"price\":{}.{:02}", (random >> 24) % 100, (random >> 32) % 100),
        format!("\"session\":\"s-{:016x}\"", mixed(random)),
    ]
}

fn record(k: u64) -> String {
    format!("{{{}}}", fields(k).join(","))
}

fn shuffled_record(k: u64) -> String {
    let mut fields = fields(k);
    fields.rotate_left((mixed(k) % 6) as usize);
    format!("{{{}}}", fields.join(","))
}

fn csv_of(records: &[String]) -> String {
    let mut csv = "user_id,timestamp,clicked,ad_id,price,session\n".to_owned();
    for record in records {
        let values =
            record.trim_matches(['{', '}']).split(',').map(|field| field.split_once(':').map_or("", |f| f.1));
        csv.push_str(&values.map(|value| value.trim_matches('"')).collect::<Vec<_>>().join(","));
        csv.push('\n');
    }
    csv
}
