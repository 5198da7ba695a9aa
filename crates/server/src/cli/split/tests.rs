use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn bodies(text: &str, format: FileFormat, body_bytes: usize) -> Vec<String> {
    let mut splitter = Splitter::new(text.as_bytes(), format, body_bytes);
    let mut bodies = Vec::new();
    while let Some(body) = splitter.next_body().unwrap() {
        bodies.push(String::from_utf8(body).unwrap());
    }
    bodies
}

/// A reader that gives few bytes at a time, as a pipe does.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.1.min(buffer.len()).min(self.0.len());
        let (now, later) = self.0.split_at(bytes);
        buffer[..bytes].copy_from_slice(now);
        self.0 = later;
        Ok(bytes)
    }
}

fn trickled(text: &str, format: FileFormat, body_bytes: usize, at_once: usize) -> Vec<String> {
    let mut splitter = Splitter::new(Trickle(text.as_bytes(), at_once), format, body_bytes);
    std::iter::from_fn(|| splitter.next_body().unwrap())
        .map(|body| String::from_utf8(body).unwrap())
        .collect()
}

#[test]
fn every_csv_body_has_the_header_and_whole_rows() {
    let text = "a,b\n1,\"x\ny\"\n2,\"say \"\"hi\"\"\"\n3,z";
    assert_eq!(
        trickled(text, FileFormat::Csv, 1, 1),
        ["a,b\n1,\"x\ny\"\n", "a,b\n2,\"say \"\"hi\"\"\"\n", "a,b\n3,z"]
    );
}

#[test]
fn a_csv_file_with_a_header_alone_has_no_bodies() {
    assert_eq!(bodies("a,b\n", FileFormat::Csv, 10), Vec::<String>::new());
    assert_eq!(bodies("a,b", FileFormat::Csv, 10), Vec::<String>::new());
    assert_eq!(bodies("", FileFormat::Csv, 10), Vec::<String>::new());
}

#[test]
fn a_pretty_printed_array_is_cut_between_elements() {
    let text = "[\n  {\"a\": \"],[\\\"\"},\n  {\"a\": [1, 2]}\n]\n";
    assert_eq!(trickled(text, FileFormat::Json, 1, 3), ["[{\"a\": \"],[\\\"\"}]", "[{\"a\": [1, 2]}]"]);
}

#[test]
fn an_empty_array_has_no_bodies() {
    assert_eq!(bodies(" [ ] ", FileFormat::Json, 10), Vec::<String>::new());
}

#[test]
fn objects_one_after_the_other_are_cut_between_them() {
    assert_eq!(
        trickled("{\"a\":1}\n{\"a\":{}} {\"a\":3}", FileFormat::Json, 1, 2).concat(),
        "{\"a\":1}{\"a\":{}}{\"a\":3}"
    );
}

#[test]
fn what_follows_an_array_is_refused() {
    let mut splitter = Splitter::new(&b"[{}] {}"[..], FileFormat::Json, 10);
    assert!(matches!(splitter.next_body(), Err(SplitError::AfterArray)));
}

#[test]
fn a_quote_that_is_never_closed_is_refused() {
    let text = format!("a\n\"{}", "x\n".repeat(RECORD_BYTES_MAX));
    let mut splitter = Splitter::new(text.as_bytes(), FileFormat::Csv, 10);
    let refused = std::iter::from_fn(|| splitter.next_body().transpose()).any(|body| body.is_err());
    assert!(refused);
}

proptest! {
    #[test]
    fn no_record_is_lost_or_torn(
        texts in proptest::collection::vec("[a-z\"\\\\,\\[\\]{}\n]{0,12}", 1..40),
        body_bytes in 1_usize..200,
        at_once in 1_usize..50,
    ) {
        let records: Vec<Value> = texts.iter().map(|text| json!({ "t": text })).collect();
        let array = serde_json::to_string(&records).unwrap();
        let lines = records.iter().map(|record| format!("{record}\n")).collect::<String>();
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(["t"]).unwrap();
        for text in &texts {
            csv.write_record([text]).unwrap();
        }
        let csv = String::from_utf8(csv.into_inner().unwrap()).unwrap();

        let from_array: Vec<Value> = trickled(&array, FileFormat::Json, body_bytes, at_once)
            .iter()
            .flat_map(|body| serde_json::from_str::<Vec<Value>>(body).unwrap())
            .collect();
        let from_lines: Vec<Value> = trickled(&lines, FileFormat::Ndjson, body_bytes, at_once)
            .iter()
            .flat_map(|body| body.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
            .collect();
        let from_csv: Vec<String> = trickled(&csv, FileFormat::Csv, body_bytes, at_once)
            .iter()
            .flat_map(|body| {
                let mut reader = csv::Reader::from_reader(body.as_bytes());
                reader.records().map(|record| record.unwrap()[0].to_owned()).collect::<Vec<_>>()
            })
            .collect();

        prop_assert_eq!(&from_array, &records);
        prop_assert_eq!(&from_lines, &records);
        prop_assert_eq!(&from_csv, &texts);
    }
}
