//! What becomes of Arrow bodies.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date64Array, Decimal128Array, DictionaryArray, Float64Array, Int8Array, Int32Array, Int64Array,
    LargeStringArray, ListArray, NullArray, RecordBatch, StringArray, StringViewArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{Int8Type, Int32Type};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use common::{lines, show, table};
use headwater_codec::{BodyFormat, DecodeOptions, OperationName, decode_table};
use headwater_types::IfAbsent;

type Named<'a> = (&'a str, ArrayRef);

fn batch(columns: Vec<Named<'_>>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn arrow_with(batches: &[RecordBatch], options: IpcWriteOptions) -> Vec<u8> {
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

fn arrow(batches: &[RecordBatch]) -> Vec<u8> {
    arrow_with(batches, IpcWriteOptions::default())
}

fn outcome(definition: &str, options: DecodeOptions, body: &[u8]) -> String {
    let tables = [table(definition)];
    match decode_table(body, BodyFormat::Arrow, &tables, 0, &options) {
        Ok(decoded) => show(&decoded, &tables),
        Err(error) => format!("{}: {error} ({})", error.code(), error.hint().unwrap_or_default()),
    }
}

fn check_as(definition: &str, options: DecodeOptions, columns: Vec<Named<'_>>, expected: &str) {
    let batch = batch(columns);
    assert_eq!(lines(&outcome(definition, options, &arrow(&[batch]))), lines(expected));
}

fn check(definition: &str, columns: Vec<Named<'_>>, expected: &str) {
    check_as(definition, DecodeOptions::default(), columns, expected);
}

fn integers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn columns_are_matched_by_name_and_absent_ones_filled() {
    check(
        "t: id BIGINT KEY, name VARCHAR DEFAULT none, n INTEGER",
        vec![("n", Arc::new(Int32Array::from(vec![7, 8]))), ("id", integers(&[1, 2]))],
        r#"upsert t [0, 1] {"id":1,"name":"none","n":7},{"id":2,"name":"none","n":8}"#,
    );
}

#[test]
fn a_value_is_taken_if_the_column_holds_it_exactly() {
    check(
        "t: a TINYINT, b DOUBLE, c REAL, d DECIMAL(5.2), e BIGINT",
        vec![
            ("a", integers(&[127, 128, -128, 0, 0])),
            ("b", integers(&[1 << 53, 0, 0, (1 << 53) + 1, 0])),
            ("c", Arc::new(Float64Array::from(vec![0.5, 0.0, 0.0, 0.0, 0.1]))),
            ("d", integers(&[999, 0, 1_000, 0, 0])),
            ("e", Arc::new(Float64Array::from(vec![3.0, 0.0, 0.0, 0.0, 0.0]))),
        ],
        r#"insert t [0] {"a":127,"b":9007199254740992.0,"c":0.5,"d":999.00,"e":3}
           error 1 out_of_range a: 128 is out of the range of TINYINT
           error 2 out_of_range d: 1000 is out of the range of DECIMAL(5, 2)
           error 3 out_of_range b: 9007199254740993 is not exactly a DOUBLE (round it by a cast before sending, or choose a wider column)
           error 4 out_of_range c: 0.1 is not exactly a REAL (round it by a cast before sending, or choose a wider column)"#,
    );
    let decimals = Decimal128Array::from(vec![1_230, 1_234, -5_000]).with_precision_and_scale(10, 3).unwrap();
    check(
        "t: d DECIMAL(5.2)",
        vec![("d", Arc::new(decimals))],
        r#"insert t [0, 2] {"d":1.23},{"d":-5.00}
           error 1 out_of_range d: 1234e-3 has more digits after the point than DECIMAL(5, 2) (round it to 2 digits)"#,
    );
    check(
        "t: n INTEGER",
        vec![(
            "n",
            Arc::new(Float64Array::from(vec![Some(1.0), Some(1.5), None, Some(f64::NAN), Some(3e9)])),
        )],
        r#"insert t [0, 2] {"n":1},{"n":null}
           error 1 type_mismatch n: 1.5 is not an integer
           error 3 type_mismatch n: NaN is not an integer
           error 4 out_of_range n: 3000000000 is out of the range of INTEGER"#,
    );
    check(
        "t: n BIGINT",
        vec![("n", Arc::new(UInt64Array::from(vec![1, u64::MAX])))],
        "insert t [0] {\"n\":1}\nerror 1 out_of_range n: 18446744073709551615 is out of the range of BIGINT",
    );
}

#[test]
fn times_keep_every_digit_or_are_refused() {
    let nanos = TimestampNanosecondArray::from(vec![1_000, 1_001]);
    check(
        "t: at TIMESTAMP",
        vec![("at", Arc::new(nanos))],
        r#"insert t [0] {"at":"1970-01-01T00:00:00.000001Z"}
           error 1 out_of_range at: 1970-01-01T00:00:00.000001001Z has more digits after the second than TIMESTAMP holds (round it, or make the column TIMESTAMP(9))"#,
    );
    let zoned = TimestampMillisecondArray::from(vec![1_500]).with_timezone("+02:00");
    check(
        "t: at TIMESTAMP(9)",
        vec![("at", Arc::new(zoned))],
        r#"insert t [0] {"at":"1970-01-01T00:00:01.5Z"}"#,
    );
    check(
        "t: day DATE",
        vec![("day", Arc::new(TimestampMillisecondArray::from(vec![86_400_000, 1])))],
        r#"insert t [0] {"day":"1970-01-02"}
           error 1 type_mismatch day: 1970-01-01T00:00:00.001Z is not a day: its time is not midnight (cast it to date before sending, or make the column TIMESTAMP)"#,
    );
    check(
        "t: day DATE",
        vec![("day", Arc::new(Date64Array::from(vec![86_400_000])))],
        r#"insert t [0] {"day":"1970-01-02"}"#,
    );
    check(
        "t: at TIMESTAMP(9)",
        vec![("at", Arc::new(TimestampMillisecondArray::from(vec![i64::MAX])))],
        "error 0 out_of_range at: +292278994-08-17T07:12:55.807Z is out of the range of TIMESTAMP(9)",
    );
}

#[test]
fn texts_are_read_as_in_json_where_the_column_is_no_number() {
    check(
        "t: at TIMESTAMP, d DECIMAL(4.1)",
        vec![
            ("at", texts(&[Some("2026-11-22T10:00:00Z"), Some("soon")])),
            ("d", texts(&[Some("1.5"), None])),
        ],
        r#"insert t [0] {"at":"2026-11-22T10:00:00Z","d":1.5}
           error 1 type_mismatch at: 'soon' is not a TIMESTAMP (write "2026-11-22T10:00:00Z", with an optional fraction and offset)"#,
    );
    check(
        "t: n BIGINT",
        vec![("n", texts(&[Some("1")]))],
        "type_mismatch: string has nothing in common with BIGINT (cast it to int64 before sending)",
    );
}

#[test]
fn texts_come_in_any_layout() {
    let dictionary: DictionaryArray<Int8Type> = vec![Some("a"), None, Some("a")].into_iter().collect();
    let columns: Vec<ArrayRef> = vec![
        texts(&[Some("a"), None, Some("a")]),
        Arc::new(LargeStringArray::from(vec![Some("a"), None, Some("a")])),
        Arc::new(StringViewArray::from(vec![Some("a"), None, Some("a")])),
        Arc::new(dictionary),
    ];
    for column in columns {
        check("t: s VARCHAR", vec![("s", column)], r#"insert t [0, 1, 2] {"s":"a"},{"s":null},{"s":"a"}"#);
    }
    let numbers: DictionaryArray<Int32Type> =
        DictionaryArray::new(Int32Array::from(vec![1, 0]), Arc::new(Int8Array::from(vec![7, 8])));
    check("t: n INTEGER", vec![("n", Arc::new(numbers))], r#"insert t [0, 1] {"n":8},{"n":7}"#);
}

#[test]
fn nulls_are_taken_where_the_column_takes_them() {
    check(
        "t: id BIGINT KEY, n INTEGER NOT NULL",
        vec![
            ("id", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))),
            ("n", Arc::new(Int32Array::from(vec![Some(1), Some(2), None]))),
        ],
        r#"upsert t [0] {"id":1,"n":1}
           error 1 key_missing id: primary key column 'id' is NULL
           error 2 not_null n: column 'n' is NOT NULL"#,
    );
    let nothing = batch(vec![("n", Arc::new(NullArray::new(2)))]);
    let shown = outcome("t: n INTEGER", DecodeOptions::default(), &arrow(&[nothing]));
    assert_eq!(lines(&shown), [r#"insert t [0, 1] {"n":null},{"n":null}"#]);
}

#[test]
fn columns_that_no_record_could_fit_refuse_the_body() {
    let id = || ("id", integers(&[1]));
    let definition = "t: id BIGINT KEY, name VARCHAR, flag BOOLEAN";
    check(
        definition,
        vec![id(), ("nme", texts(&[None]))],
        "unknown_field: table 't' has no column 'nme' (did you mean 'name'?)",
    );
    check(definition, vec![("name", texts(&[None]))], "key_missing: primary key column 'id' is absent ()");
    check(
        definition,
        vec![id(), ("flag", integers(&[1]))],
        "type_mismatch: int64 has nothing in common with BOOLEAN (cast it to boolean before sending)",
    );
    check(
        "t: d DECIMAL(5.2)",
        vec![("d", Arc::new(Float64Array::from(vec![0.5])))],
        "type_mismatch: float64 has nothing in common with DECIMAL(5, 2) (floats hold few decimals exactly: cast to decimal128(5, 2) before sending)",
    );
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
    let nested = batch(vec![id(), ("name", Arc::new(list))]);
    let by_arrow = outcome(definition, DecodeOptions::default(), &arrow(std::slice::from_ref(&nested)));
    assert_eq!(
        by_arrow,
        "type_mismatch: column 'name' is a list, which no column of a table holds (leave it out, or flatten it before sending)"
    );
}

#[test]
fn operations_hold_what_they_need() {
    let columns = || vec![("n", integers(&[10, 20])), ("id", integers(&[1, 2]))];
    let definition = "t: id BIGINT KEY, name VARCHAR NOT NULL, n BIGINT";
    let options = |operation, if_absent| DecodeOptions { operation, if_absent };
    check_as(
        definition,
        options(OperationName::Patch, IfAbsent::Ignore),
        columns(),
        r#"patch ignore [0, 2] t [0, 1] {"id":1,"n":10},{"id":2,"n":20}"#,
    );
    check_as(
        definition,
        options(OperationName::Delete, IfAbsent::Error),
        columns(),
        r#"delete key t [0, 1] {"id":1},{"id":2}"#,
    );
    check_as(
        definition,
        options(OperationName::Insert, IfAbsent::Error),
        columns(),
        "not_null: column 'name' is absent, and it is NOT NULL without default ()",
    );
}

#[test]
fn a_bad_record_is_kept_as_json() {
    let tables = [table("t: n TINYINT, s VARCHAR")];
    let body = arrow(&[batch(vec![("n", integers(&[300])), ("s", texts(&[Some("a\"b")]))])]);
    let decoded = decode_table(&body, BodyFormat::Arrow, &tables, 0, &DecodeOptions::default()).unwrap();
    assert_eq!(decoded.errors[0].payload, r#"{"n":300,"s":"a\"b"}"#);
}

#[test]
fn records_are_numbered_over_all_batches() {
    let batches = [
        batch(vec![("n", integers(&[1, 300]))]),
        batch(vec![("n", integers(&[]))]),
        batch(vec![("n", integers(&[2, 400, 3]))]),
    ];
    let shown = outcome("t: n TINYINT", DecodeOptions::default(), &arrow(&batches));
    assert_eq!(
        lines(&shown),
        [
            r#"insert t [0, 2, 4] {"n":1},{"n":2},{"n":3}"#,
            "error 1 out_of_range n: 300 is out of the range of TINYINT",
            "error 3 out_of_range n: 400 is out of the range of TINYINT"
        ]
    );
}

#[test]
fn files_and_compressed_streams_are_taken() {
    let rows = batch(vec![("n", integers(&[1; 100])), ("s", texts(&[Some("text"); 100]))]);
    let expected =
        outcome("t: n BIGINT, s VARCHAR", DecodeOptions::default(), &arrow(std::slice::from_ref(&rows)));
    assert!(expected.starts_with("insert t [0, 1"), "{expected}");
    let mut file = FileWriter::try_new(Vec::new(), &rows.schema()).unwrap();
    file.write(&rows).unwrap();
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    for body in [file.into_inner().unwrap(), arrow_with(std::slice::from_ref(&rows), options)] {
        assert_eq!(outcome("t: n BIGINT, s VARCHAR", DecodeOptions::default(), &body), expected);
    }
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
    let refused = outcome("t: n BIGINT, s VARCHAR", DecodeOptions::default(), &arrow_with(&[rows], options));
    assert!(refused.contains("have the writer compress with zstd"), "{refused}");
}

#[test]
fn a_stream_without_end_marker_and_other_bytes_are_refused() {
    let whole = arrow(&[batch(vec![("n", integers(&[1, 2]))])]);
    let shown = |body: &[u8]| outcome("t: n BIGINT", DecodeOptions::default(), body);
    assert!(shown(&whole[..whole.len() - 8]).contains("it was cut short"));
    assert_eq!(
        shown(b"{\"n\":1}"),
        "bad_arrow: the body is not an Arrow IPC stream: this looks like JSON (send the stream whole, as its writer closed it)"
    );
    assert!(shown(b"").starts_with("empty_body"));
}
