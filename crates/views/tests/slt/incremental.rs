//! A script in steps: each query is a materialised view, whose changes are added up.

use std::collections::{BTreeMap, HashSet};

use arrow::record_batch::RecordBatch;
use headwater_relation::Relation;
use headwater_sql::{CompileOptions, Program, compile};
use headwater_types::{Delta, Name};
use headwater_views::{BuildError, Circuit, CircuitOptions, view_schema};

use crate::Tally;
use crate::batch::Event;
use crate::cells::{expected, found};
use crate::file::{Kind, Query, Record, Script};
use crate::noise::{next_step, with_noise};
use crate::random::Random;
use crate::store::{publish, rows};

/// A circuit and what its changes add up to.
struct Views {
    circuit: Circuit,
    contents: BTreeMap<String, Relation>,
}

/// Compares every query that is for views, and every view with its first content once all rows are deleted.
pub fn run(script: &Script, events: &[Event], random: &mut Random, tally: &mut Tally) {
    let definitions = definitions(script, random);
    let queries = queries(script, &definitions, tally);
    let views = queries.iter().map(|(record, query)| as_view(record, query)).collect::<String>();
    let program = compile(&(definitions + &views), &CompileOptions::default()).unwrap();
    let mut views = Views::new(&program);
    views.step(Vec::new());
    let start: Vec<Vec<String>> = queries.iter().map(|(record, query)| views.found(record, query)).collect();

    let mut waiting: BTreeMap<String, Vec<(RecordBatch, i64)>> = BTreeMap::new();
    let mut everything: BTreeMap<String, Vec<(RecordBatch, i64)>> = BTreeMap::new();
    for event in events {
        match event {
            Event::Changed(change) => {
                for batch in &change.rows {
                    let rows = (0..batch.num_rows()).map(|row| (batch.slice(row, 1), change.weight));
                    everything
                        .entry(change.table.clone())
                        .or_default()
                        .extend(rows.clone().map(|(row, w)| (row, -w)));
                    waiting.entry(change.table.clone()).or_default().extend(rows);
                }
            }
            Event::Asked(record) => {
                views.run_steps(random, std::mem::take(&mut waiting));
                let Some((_, query)) = queries.iter().find(|(known, _)| known.line == record.line) else {
                    continue;
                };
                tally.incremental += 1;
                let place = script.place(record, "in steps");
                tally.compare(&place, &query.sql, &expected(query), &views.found(record, query));
            }
        }
    }
    views.run_steps(random, waiting);
    let removal = everything.into_iter().map(|(table, rows)| (table, whole(&rows)));
    views.step(removal.collect());
    for ((record, query), start) in queries.iter().zip(&start) {
        tally.emptied += 1;
        let place = script.place(record, "when all rows are deleted");
        tally.compare(&place, &query.sql, start, &views.found(record, query));
    }
}

/// The script's tables and views; which views are materialised is drawn.
fn definitions(script: &Script, random: &mut Random) -> String {
    let definition = |sql: &str| match sql.strip_prefix("CREATE VIEW ") {
        Some(rest) if random.one_in(2) => format!("CREATE MATERIALIZED VIEW {rest};\n"),
        _ => format!("{sql};\n"),
    };
    script.definitions().map(definition).collect()
}

/// The queries that can be views. One that is marked as none must be refused as such.
fn queries<'a>(script: &'a Script, definitions: &str, tally: &mut Tally) -> Vec<(&'a Record, &'a Query)> {
    let mut queries = Vec::new();
    for record in &script.records {
        let Kind::Query(query) = &record.kind else { continue };
        let compiled =
            compile(&format!("{definitions}{}", as_view(record, query)), &CompileOptions::default());
        let mut fail = |what: String| {
            tally.failures.push(format!("{}\n{}\n{what}", script.place(record, "as a view"), query.sql));
        };
        match (record.is_for("incremental"), compiled) {
            (true, Ok(program)) => match circuit(&program) {
                Ok(_) => queries.push((record, query)),
                Err(error) => fail(error.to_string()),
            },
            (true, Err(diagnostic)) => fail(diagnostic.to_string()),
            (false, Ok(_)) => fail("a view can hold this query; take the mark off".to_owned()),
            (false, Err(diagnostic)) if diagnostic.code == "unsupported" => tally.refused += 1,
            (false, Err(diagnostic)) => fail(format!("refused as {}: {diagnostic}", diagnostic.code)),
        }
    }
    queries
}

fn view_name(record: &Record) -> String {
    format!("query_in_line_{}", record.line)
}

fn as_view(record: &Record, query: &Query) -> String {
    let columns: Vec<String> = (0..query.types.len()).map(|column| format!("c{column}")).collect();
    format!("CREATE MATERIALIZED VIEW {} ({}) AS {};\n", view_name(record), columns.join(", "), query.sql)
}

/// The circuit of a program over empty tables.
fn circuit(program: &Program) -> Result<Circuit, BuildError> {
    let mut circuit = Circuit::new(CircuitOptions::default());
    circuit.begin_change(program, &HashSet::new())?;
    circuit.finish_change();
    Ok(circuit)
}

/// Changes in one part.
fn whole(rows: &[(RecordBatch, i64)]) -> Delta {
    let part = |(row, weight): &(RecordBatch, i64)| {
        headwater_types::WeightedRows::weighted(row.clone(), vec![*weight])
    };
    Delta { parts: rows.iter().map(part).collect() }
}

impl Views {
    fn new(program: &Program) -> Views {
        let circuit = circuit(program).unwrap_or_else(|error| panic!("{error}"));
        let kept = program.views.iter().filter(|view| view.materialized);
        let contents = kept
            .map(|view| (view.name.as_str().to_owned(), Relation::new(view_schema(view), Vec::new())))
            .collect();
        Views { circuit, contents }
    }

    /// Feeds changes, with noise, in steps.
    fn run_steps(&mut self, random: &mut Random, changes: BTreeMap<String, Vec<(RecordBatch, i64)>>) {
        let noisy = changes.into_iter().map(|(table, rows)| (table, with_noise(random, rows)));
        let mut groups: Vec<(String, Vec<_>)> = noisy.collect();
        while groups.iter().any(|(_, groups)| !groups.is_empty()) {
            let inputs = groups.iter_mut().map(|(table, groups)| (table.clone(), next_step(random, groups)));
            let inputs = inputs.collect();
            self.step(inputs);
        }
    }

    fn step(&mut self, inputs: Vec<(String, Delta)>) {
        let inputs = inputs.into_iter().map(|(table, delta)| (Name::new(&table).unwrap(), delta)).collect();
        for (view, delta) in self.circuit.step(inputs).unwrap().deltas {
            publish(self.contents.get_mut(view.as_str()).unwrap(), &delta);
        }
    }

    fn found(&self, record: &Record, query: &Query) -> Vec<String> {
        found(query, &rows(&self.contents[&view_name(record)]))
    }
}
