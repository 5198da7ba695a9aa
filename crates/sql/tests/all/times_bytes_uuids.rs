use arrow::datatypes::{DataType, TimeUnit};
use headwater_sql::QueryOptions;
use headwater_types::ColumnType;

use crate::fixture::{compile_text, numbers, refusal, run, table};

/// The only cell of the answer to `SELECT <expression>`.
fn value(expression: &str) -> String {
    let text = table(&format!("SELECT {expression} AS v"), vec![]);
    match text.lines().nth(3) {
        Some(line) => line.trim_matches(['|', ' ']).to_owned(),
        None => text,
    }
}

#[test]
fn every_spelling_of_a_type_names_it() {
    for (spelling, column_type) in [
        ("TIME", ColumnType::Time),
        ("TIME(3)", ColumnType::Time),
        ("TIME(9)", ColumnType::Time),
        ("TIME WITHOUT TIME ZONE", ColumnType::Time),
        ("VARBINARY", ColumnType::Varbinary),
        ("VARBINARY(10)", ColumnType::Varbinary),
        ("BINARY", ColumnType::Varbinary),
        ("BINARY(16)", ColumnType::Varbinary),
        ("BYTEA", ColumnType::Varbinary),
        ("UUID", ColumnType::Uuid),
    ] {
        let program = compile_text(&format!("CREATE TABLE t (x {spelling} PRIMARY KEY)")).unwrap();
        assert_eq!(program.tables[0].columns[0].column_type, column_type, "{spelling}");
    }
}

#[test]
fn times_with_a_zone_and_finer_than_nanoseconds_are_refused() {
    for spelling in ["TIME WITH TIME ZONE", "TIMETZ", "TIME(10)"] {
        let refusal = refusal(&format!("CREATE TABLE t (x {spelling})"));
        assert!(refusal.starts_with("unsupported: the type TIME"), "{refusal}");
        assert!(refusal.contains("hint: use TIME, which has no zone"), "{refusal}");
    }
}

#[test]
fn defaults_are_read_as_casts_are() {
    let program = compile_text(
        r"CREATE TABLE t (a TIME DEFAULT '10:00', b BYTEA DEFAULT '\x0aff', c VARBINARY DEFAULT x'0AFF', d BYTEA DEFAULT 'a',
            e UUID DEFAULT '{123E4567E89B12D3A456426655440000}', f UUID DEFAULT NULL,
            g TIME DEFAULT TIME '23:59:59' + INTERVAL '2 seconds', h UUID DEFAULT CAST(x'00112233445566778899aabbccddeeff' AS UUID))",
    )
    .unwrap();
    let columns = program.tables[0]
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.default.clone().unwrap()));
    let row = arrow::record_batch::RecordBatch::try_from_iter(columns).unwrap();
    let shown = arrow::util::pretty::pretty_format_batches(&[row]).unwrap().to_string();
    let cells: Vec<&str> = shown.lines().nth(3).unwrap().split('|').map(str::trim).collect();
    assert_eq!(
        cells[1..9],
        [
            "10:00:00",
            "0aff",
            "0aff",
            "61",
            "123e4567e89b12d3a456426655440000",
            "",
            "00:00:01",
            "00112233445566778899aabbccddeeff"
        ]
    );
}

#[test]
fn a_default_that_is_none_is_refused() {
    for (column, reason) in [
        ("TIME DEFAULT '24:00:00'", "'24:00:00' is not a TIME"),
        ("TIME DEFAULT 5", "cannot cast BIGINT to TIME"),
        ("UUID DEFAULT 'x'", "'x' is not a UUID"),
        (r"BYTEA DEFAULT '\x0'", r"'\x0' is not a VARBINARY"),
        ("BYTEA DEFAULT 5", "cannot cast BIGINT to VARBINARY"),
        ("UUID DEFAULT x'00'", "a UUID has 16 bytes, not 1"),
    ] {
        let refusal = refusal(&format!("CREATE TABLE t (x {column})"));
        assert!(refusal.starts_with("invalid_default") && refusal.contains(reason), "{column}: {refusal}");
    }
    for function in ["uuid()", "gen_random_uuid()"] {
        let refusal = refusal(&format!("CREATE TABLE t (x UUID DEFAULT {function})"));
        assert!(refusal.starts_with("not_deterministic: "), "{refusal}");
    }
}

#[test]
fn only_listed_conversions_exist() {
    for (expression, reason) in [
        ("CAST(x AS TIME)", "cannot cast BIGINT to TIME"),
        ("CAST(x AS UUID)", "cannot cast BIGINT to UUID"),
        ("CAST(x AS VARBINARY)", "cannot cast BIGINT to VARBINARY"),
        ("CAST(TIME '10:00' AS BIGINT)", "cannot cast TIME to BIGINT"),
        ("CAST(TIME '10:00' AS UUID)", "cannot cast TIME to UUID"),
        ("arrow_cast(x, 'Time64(Nanosecond)')", "cannot cast BIGINT to TIME"),
        ("upper(x'00')", "VARBINARY"),
    ] {
        let answer = table(&format!("SELECT {expression} AS v FROM n"), vec![numbers("n", 1)]);
        assert!(answer.starts_with("error") && answer.contains(reason), "{expression}: {answer}");
        let view = format!("CREATE TABLE n (x BIGINT); CREATE VIEW v AS SELECT {expression} AS v FROM n");
        let refusal = refusal(&view);
        assert!(
            refusal.starts_with("type_mismatch: ") && refusal.contains(reason),
            "{expression}: {refusal}"
        );
    }
}

#[test]
fn conversions_give_what_postgresql_gives() {
    for (expression, expected) in [
        ("CAST('10:00' AS TIME)", "10:00:00"),
        ("CAST(TIME '10:00:00.120' AS VARCHAR)", "10:00:00.12"),
        ("TRY_CAST('10:00 PM' AS TIME)", ""),
        ("CAST('abc' AS BYTEA)", "616263"),
        (r"CAST('\x0AFF' AS BYTEA)", "0aff"),
        (r"TRY_CAST('\x0' AS BYTEA)", ""),
        ("CAST(x'0AFF' AS VARCHAR)", r"\x0aff"),
        ("CAST(UUID '{123E4567E89B12D3A456426655440000}' AS TEXT)", "123e4567-e89b-12d3-a456-426655440000"),
        ("TRY_CAST('x' AS UUID)", ""),
        ("TIME '23:00' + INTERVAL '90 minutes'", "00:30:00"),
        ("DATE '2026-11-22' + TIME '10:00'", "2026-11-22T10:00:00"),
        ("CAST(TIMESTAMP '2026-11-22 10:00:00.5' AS TIME)", "10:00:00.500"),
        ("left(x'0a0b0c', -1)", "0a0b"),
        ("right(x'0a0b0c', 9)", "0a0b0c"),
        ("substr(x'0a0b0c', -1, 3)", "0a"),
        ("substring(x'0a0b0c' FROM 2)", "0b0c"),
        ("position(x'0c' IN x'0a0b0c')", "3"),
        ("strpos(x'0a', x'')", "1"),
        ("length(x'0a0b0c')", "3"),
        ("x'0a' || x'0b'", "0a0b"),
        ("to_hex(x'0AFF') || to_hex(255)", "0affff"),
        ("bin2utf8(x'6162')", "ab"),
        ("bin2utf8(x'ff')", ""),
        ("encode(x'0AFF', 'hex')", "0aff"),
        ("decode('0aff', 'hex')", "0aff"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn a_conversion_that_fails_ends_a_query_and_says_why() {
    let answer = table("SELECT CAST(CAST(x AS VARCHAR) AS UUID) AS v FROM n", vec![numbers("n", 1)]);
    assert_eq!(answer, "error: the query failed: '0' is not a UUID");
}

#[test]
fn answers_and_views_have_times_bytes_and_uuids_in_one_form() {
    let text = "SELECT current_time() AS a, sha256('x') AS b, uuid() AS c, gen_random_uuid() AS d, \
                arrow_cast('x', 'BinaryView') AS e, arrow_cast('10:00:00', 'Time32(Second)') AS f";
    let result = run(text, vec![], QueryOptions::default()).unwrap();
    let types: Vec<&DataType> = result.schema.fields().iter().map(|field| field.data_type()).collect();
    let (time, uuid) = (DataType::Time64(TimeUnit::Nanosecond), DataType::FixedSizeBinary(16));
    assert_eq!(types, [&time, &DataType::Binary, &uuid, &uuid, &DataType::Binary, &time]);
    let [c, d] = [2, 3].map(|column| result.batches[0].column(column).to_data());
    assert_ne!(c, d, "each is drawn anew");

    let program = compile_text(
        "CREATE TABLE t (x BIGINT, u UUID); CREATE MATERIALIZED VIEW v AS SELECT sha256('x') AS b, u, make_time(1, 2, 3) AS t,
            u || u AS uu FROM t",
    )
    .unwrap();
    let types: Vec<ColumnType> = program.views[0].columns.iter().map(|column| column.column_type).collect();
    assert_eq!(types, [ColumnType::Varbinary, ColumnType::Uuid, ColumnType::Time, ColumnType::Varbinary]);
}
