//! The decoder against a slow one made of `serde_json`, over generated and damaged records.
#![allow(clippy::unwrap_used)]

mod common;

use std::fmt;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use common::table;
use headwater_codec::{BodyFormat, DecodeOptions, OperationName, decode_mixed, decode_table, json};
use headwater_types::IfAbsent;
use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

const TABLE: &str = "t: id BIGINT NOT NULL, small TINYINT, ratio DOUBLE, name VARCHAR, ok BOOLEAN, n INTEGER DEFAULT 7, \
     clock TIME, raw VARBINARY, uuid UUID";
const COLUMNS: [&str; 9] = ["id", "small", "ratio", "name", "ok", "n", "clock", "raw", "uuid"];

/// An object's fields as they come, the same name perhaps twice.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// The row that a record stands for; `None` if it is refused.
fn oracle(text: &str) -> Option<Vec<Value>> {
    let Fields(fields) = serde_json::from_str(text).ok()?;
    let mut row = vec![Value::Null; COLUMNS.len()];
    row[5] = Value::from(7);
    let mut given = [false; COLUMNS.len()];
    for (name, value) in fields {
        let column = COLUMNS.iter().position(|column| *column == name)?;
        if std::mem::replace(&mut given[column], true) {
            return None;
        }
        row[column] = convert(column, value)?;
    }
    (!row[0].is_null()).then_some(row)
}

fn convert(column: usize, value: Value) -> Option<Value> {
    if value.is_null() {
        return Some(value);
    }
    let integer = |min: i64, max: i64| {
        let whole = |f: f64| (f.fract() == 0.0 && f.abs() < 9e15).then_some(f as i64);
        let integer = value.as_i64().or_else(|| value.as_f64().filter(|_| value.is_f64()).and_then(whole))?;
        (min..=max).contains(&integer).then(|| Value::from(integer))
    };
    match COLUMNS[column] {
        "id" => integer(i64::MIN, i64::MAX),
        "small" => integer(i64::from(i8::MIN), i64::from(i8::MAX)),
        "n" => integer(i64::from(i32::MIN), i64::from(i32::MAX)),
        "ratio" if value.is_number() => Some(Value::from(value.as_f64()? + 0.0)),
        "ratio" => ["NaN", "Infinity", "-Infinity"].contains(&value.as_str()?).then_some(value),
        "name" => value.is_string().then_some(value),
        "clock" => clock(value.as_str()?).map(Value::from),
        "raw" => raw(&value).map(Value::from),
        "uuid" => uuid(value.as_str()?).map(Value::from),
        _ => value.is_boolean().then_some(value),
    }
}

/// `hh:mm[:ss[.fraction]]` as `hh:mm:ss[.fraction]` without zeros at its end.
fn clock(text: &str) -> Option<String> {
    let (time, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<&str> = time.split(':').collect();
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let in_range = parts.iter().zip([24, 60, 60]).all(|(part, end)| {
        part.len() == 2 && numeric(part) && part.parse::<u32>().is_ok_and(|number| number < end)
    });
    let complete = parts.len() == 3 || (parts.len() == 2 && !text.contains('.'));
    let fraction = numeric(fraction).then(|| fraction.trim_end_matches('0'))?;
    let whole = format!("{}:{}:{}", parts[0], parts.get(1)?, parts.get(2).unwrap_or(&"00"));
    let time = if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") };
    (in_range && complete && fraction.len() <= 9).then_some(time)
}

/// Hexadecimal digits of a text or of an array of bytes.
fn raw(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        let digits = text.strip_prefix("\\x").or(text.strip_prefix("0x")).unwrap_or(text);
        let right = digits.len() % 2 == 0 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return right.then(|| digits.to_lowercase());
    }
    let byte = |value: &Value| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && (0.0..256.0).contains(&number)).then(|| format!("{:02x}", number as u8))
    };
    value.as_array()?.iter().map(byte).collect()
}

/// The canonical form of 32 digits in whole groups of four.
fn uuid(text: &str) -> Option<String> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let groups = inner.split('-').all(|group| !group.is_empty() && group.len() % 4 == 0);
    let digits = inner.replace('-', "").to_lowercase();
    let right = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = || [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    (groups && right).then(|| parts().join("-"))
}

/// The row that the decoder reads from a line.
fn decoded(text: &str, format: BodyFormat) -> Option<Vec<Value>> {
    let tables = [table(TABLE)];
    let decoded = decode_table(text.as_bytes(), format, &tables, 0, &DecodeOptions::default()).unwrap();
    assert_eq!(decoded.received, 1, "{text}");
    let rows = &decoded.operations.first()?.rows;
    let mut out = Vec::new();
    json::write_row(rows, 0, &mut out);
    let Value::Object(mut row) = serde_json::from_slice(&out).unwrap() else { unreachable!() };
    // The oracle's reader does not round as exactly as the writer writes.
    let ratio = rows.column(2).as_primitive::<Float64Type>();
    if row["ratio"].is_number() {
        row["ratio"] = Value::from(ratio.value(0));
    }
    Some(COLUMNS.iter().map(|column| row.remove(*column).unwrap()).collect())
}

fn check(text: &str) {
    if text.trim().is_empty() {
        return;
    }
    let expected = oracle(text);
    assert_eq!(decoded(text, BodyFormat::Ndjson), expected, "as a line: {text}");
    let array = format!("[{text}]");
    // A damaged record can be two elements, or end the array; alone it is one record in both.
    if serde_json::from_str::<Vec<serde::de::IgnoredAny>>(&array).is_ok_and(|elements| elements.len() == 1) {
        assert_eq!(decoded(&array, BodyFormat::Json), expected, "as an element: {text}");
    }
}

/// Values that are right for some column, or for none. Numbers keep to what a double tells apart,
/// as the oracle knows no other numbers with a point or an exponent.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|value| value.to_string()),
        (-200..200_i32).prop_map(|value| value.to_string()),
        (-200..200_i32).prop_map(|value| format!("{value}.0")),
        (-99..99_i32, 0..4_i32).prop_map(|(value, power)| format!("{value}E+{power}")),
        "-?(0|[1-9][0-9]{0,3})\\.[0-9]{1,3}",
        ".*".prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("\"\\u00e9\\ud83d\\ude00\\/\"".to_owned()),
        Just("\"\\ud83d\"".to_owned()),
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "\"NaN\"",
            "\"-Infinity\"",
            "[1,{}]",
            "[1, 255 ,0.0]",
            "[]",
            "\"10:00:00\"",
            "{\"a\":[]}",
            "-0.0"
        ])
        .prop_map(str::to_owned),
        prop::sample::select(vec![
            "01", "1.", ".5", "+1", "-", "1e", "nul", "\"\\x\"", "\"\t\"", "[1,]", "{,}", ""
        ])
        .prop_map(str::to_owned),
    ]
}

fn right_value(column: usize) -> BoxedStrategy<String> {
    let null = Just("null".to_owned());
    let right = match COLUMNS[column] {
        "id" => any::<i64>().prop_map(|value| value.to_string()).boxed(),
        "small" => any::<i8>().prop_map(|value| value.to_string()).boxed(),
        "n" => any::<i32>().prop_map(|value| value.to_string()).boxed(),
        "clock" => "\"([01][0-9]|2[0-4]):[0-6][0-9](:[0-6][0-9](\\.[0-9]{0,10})?)?\"".boxed(),
        "raw" => prop_oneof![
            "\"(0x|\\\\\\\\x)?([0-9a-fA-F]{2}){0,4}[0-9a-g]?\"",
            prop::collection::vec(-1..257_i32, 0..4).prop_map(|bytes| format!("{bytes:?}")),
        ]
        .boxed(),
        "uuid" => "\"([0-9a-f]{8}-([0-9a-fA-F]{4}-){3}[0-9a-f]{12}|\\{?([0-9a-f]{4}-?){8}\\}?)\"".boxed(),
        "ratio" => "-?[1-9][0-9]{0,3}\\.[0-9]{1,3}".boxed(),
        "name" => ".*".prop_map(|text| serde_json::to_string(&text).unwrap()).boxed(),
        _ => any::<bool>().prop_map(|value| value.to_string()).boxed(),
    };
    prop_oneof![8 => right, 1 => null, 1 => value()].boxed()
}

/// A record of some columns in some order, mostly right, with space around its parts.
fn record() -> impl Strategy<Value = String> {
    let columns =
        prop::sample::subsequence((0..COLUMNS.len()).collect::<Vec<_>>(), 0..=COLUMNS.len()).prop_shuffle();
    let fields = columns.prop_flat_map(|columns| {
        let field = |column: usize| {
            let name = prop_oneof![30 => Just(COLUMNS[column]), 1 => Just("nome"), 1 => Just("id")];
            (name, right_value(column), "[ \t]{0,2}").prop_map(|(name, value, space)| {
                let name = name.replacen('i', if space.len() == 2 { "\\u0069" } else { "i" }, 1);
                format!("{space}\"{name}\"{space}:{space}{value}{space}")
            })
        };
        columns.into_iter().map(field).collect::<Vec<_>>()
    });
    fields.prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

fn damaged() -> impl Strategy<Value = String> {
    let bytes = prop::sample::select("{}[]\",:\\0-e.+tnu x".chars().collect::<Vec<_>>());
    let change = (any::<prop::sample::Index>(), 0..3, bytes);
    (record(), prop::collection::vec(change, 1..3)).prop_map(|(record, changes)| {
        let mut characters: Vec<char> = record.chars().collect();
        for (place, how, character) in changes {
            let place = place.index(characters.len().max(1)).min(characters.len().saturating_sub(1));
            match how {
                _ if characters.is_empty() => characters.push(character),
                0 => characters[place] = character,
                1 => characters.insert(place, character),
                _ => drop(characters.remove(place)),
            }
        }
        characters.into_iter().collect()
    })
}

/// Whether a damaged number needs more digits than a double has, where the oracle cannot tell.
fn beyond_the_oracle(text: &str) -> bool {
    let number =
        |part: &str| part.contains(['.', 'e', 'E']) && part.chars().filter(char::is_ascii_digit).count() > 15;
    text.split(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).any(number)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4 * ProptestConfig::default().cases))]

    #[test]
    fn records_are_taken_and_refused_as_by_the_oracle(text in record()) {
        check(&text);
    }

    #[test]
    fn damaged_records_are_taken_and_refused_as_by_the_oracle(text in damaged()) {
        prop_assume!(!text.contains('\n') && !beyond_the_oracle(&text));
        check(&text);
    }

    #[test]
    fn lines_stand_alone(lines in prop::collection::vec(prop_oneof![record(), damaged()], 0..12)) {
        let tables = [table(TABLE)];
        let lines: Vec<String> = lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
        let together = decode_table(lines.join("\n").as_bytes(), BodyFormat::Ndjson, &tables, 0, &DecodeOptions::default()).unwrap();
        let mut out = Vec::new();
        for operation in &together.operations {
            json::write_rows_ndjson(&operation.rows, &mut out);
        }
        let mut alone = Vec::new();
        for line in &lines {
            let decoded = decode_table(line.as_bytes(), BodyFormat::Ndjson, &tables, 0, &DecodeOptions::default()).unwrap();
            decoded.operations.iter().for_each(|operation| json::write_rows_ndjson(&operation.rows, &mut alone));
        }
        prop_assert_eq!(together.received, lines.len() as u64);
        prop_assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(alone).unwrap());
    }

    #[test]
    fn no_bytes_panic(body in hostile(), operation in 0..4_usize, if_absent in 0..3_usize) {
        let tables = [table("t: id BIGINT KEY, at TIMESTAMP KEY, name VARCHAR, d DECIMAL(9.3), n INTEGER DEFAULT 7, raw VARBINARY, uuid UUID, clock TIME"), table(TABLE)];
        let options = DecodeOptions {
            operation: OperationName::parse(OperationName::NAMES[operation]).unwrap(),
            if_absent: [IfAbsent::Error, IfAbsent::Ignore, IfAbsent::Insert][if_absent],
        };
        for format in [BodyFormat::Json, BodyFormat::Ndjson, BodyFormat::Csv] {
            for index in 0..tables.len() {
                if let Ok(decoded) = decode_table(&body, format, &tables, index, &options) {
                    common::show(&decoded, &tables);
                }
            }
        }
        if let Ok(decoded) = decode_mixed(&body, &tables) {
            common::show(&decoded, &tables);
        }
    }
}

/// Bytes that are nothing, or pieces of what a body is made of.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\n",
        "\r\n",
        " ",
        "\"id\"",
        "\"name\"",
        "\"at\"",
        "\"d\"",
        "\"raw\"",
        "\"uuid\"",
        "\"clock\"",
        "\"00112233445566778899aabbccddeeff\"",
        "\"10:00\"",
        "\"n\"",
        "1",
        "-0.5",
        "1e400",
        "null",
        "true",
        "\"2026-11-22T10:00:00Z\"",
        "{\"id\":1,\"at\":\"2026-11-22 10:00:00\"}",
        "{\"table\":\"t\",\"row\":{\"id\":1}}",
        "\"table\":\"t\"",
        "\"op\":\"patch\"",
        "\"row\":{\"n\":1}",
        "id,name,n\n",
        "\"\"",
        "\u{feff}",
        "é",
        "\u{1}",
    ];
    let soup = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..30)
        .prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![3 => soup, 1 => any::<Vec<u8>>()]
}
