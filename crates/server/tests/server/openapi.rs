//! The description of the API is complete and does not change by accident.

use std::collections::BTreeSet;

use headwater_server::handlers::openapi::text;
use headwater_server::routes::routes;
use serde_json::Value;

/// Set it to write the golden file anew.
const UPDATE_VARIABLE: &str = "UPDATE_OPENAPI";
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[test]
fn the_description_is_the_golden_file() {
    let described = text().unwrap() + "\n";
    if std::env::var_os(UPDATE_VARIABLE).is_some() {
        std::fs::write(GOLDEN, &described).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(
        golden == described,
        "openapi.json differs; if that is meant: {UPDATE_VARIABLE}=1 cargo test -p headwater-server --test server openapi"
    );
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let description: Value = serde_json::from_str(&text().unwrap()).unwrap();
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routed: BTreeSet<_> =
        routes().iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    assert_eq!(described, routed);
}

#[test]
fn every_reference_in_the_description_leads_somewhere() {
    let description: Value = serde_json::from_str(&text().unwrap()).unwrap();
    let mut references = Vec::new();
    collect_references(&description, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect_references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
