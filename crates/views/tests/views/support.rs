//! A program with its circuit, and short ways to write rows.

use std::collections::{BTreeMap, HashSet};

use headwater_sql::{CompileOptions, Program, compile};
use headwater_types::{Delta, Name, WeightedRows};
use headwater_views::{Circuit, CircuitOptions, StepError, StepOutput};

use crate::value::{self, Row, Value, row_text};

pub struct Fixture {
    pub program: Program,
    pub circuit: Circuit,
}

impl Fixture {
    pub fn new(sql: &str) -> Fixture {
        let program =
            compile(sql, &CompileOptions { test_hooks: true }).unwrap_or_else(|error| panic!("{error}"));
        let circuit = circuit(&program);
        Fixture { program, circuit }
    }

    /// Changes of a table, one row each.
    pub fn delta(&self, table: &str, rows: Vec<(Row, i64)>) -> (Name, Delta) {
        let definition = self.program.tables.iter().find(|known| known.name.as_str() == table).unwrap();
        let (rows, weights): (Vec<Row>, Vec<i64>) = rows.into_iter().unzip();
        let part = WeightedRows::weighted(value::batch(&definition.schema(), &rows), weights);
        (definition.name.clone(), Delta { parts: vec![part] })
    }

    pub fn try_step(&mut self, table: &str, rows: Vec<(Row, i64)>) -> Result<StepOutput, StepError> {
        let input = self.delta(table, rows);
        self.circuit.step(vec![input])
    }

    pub fn step(&mut self, table: &str, rows: Vec<(Row, i64)>) -> StepOutput {
        self.try_step(table, rows).unwrap()
    }
}

/// The circuit of a program over empty tables.
pub fn circuit(program: &Program) -> Circuit {
    let mut circuit = Circuit::new(CircuitOptions::default());
    circuit.begin_change(program, &HashSet::new()).unwrap_or_else(|error| panic!("{error}"));
    circuit.finish_change();
    circuit
}

/// The rows that a step changed in a view, as texts with their weights, sorted.
pub fn changes(output: &StepOutput, view: &str) -> Vec<(String, i64)> {
    let deltas = output.deltas.iter().filter(|(name, _)| name.as_str() == view);
    let mut changes = BTreeMap::new();
    for part in deltas.flat_map(|(_, delta)| &delta.parts) {
        for row in 0..part.rows.num_rows() {
            *changes.entry(row_text(&value::row(&part.rows, row))).or_insert(0) += part.weight(row);
        }
    }
    changes.into_iter().collect()
}

/// Adds the changes of a step to a view's content.
pub fn integrate(content: &mut BTreeMap<String, i64>, output: &StepOutput, view: &str) {
    for (row, weight) in changes(output, view) {
        let total = content.entry(row.clone()).or_insert(0);
        *total += weight;
        if *total == 0 {
            content.remove(&row);
        }
    }
}

pub fn whole(value: i128) -> Value {
    Value::Whole(value)
}

pub fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub fn float(value: f64) -> Value {
    Value::Float(value)
}

/// Each row once more.
pub fn added(rows: Vec<Row>) -> Vec<(Row, i64)> {
    rows.into_iter().map(|row| (row, 1)).collect()
}

/// Each row once less.
pub fn removed(rows: Vec<Row>) -> Vec<(Row, i64)> {
    rows.into_iter().map(|row| (row, -1)).collect()
}

/// What [`changes`] gives for these rows.
pub fn expected(rows: &[(Row, i64)]) -> Vec<(String, i64)> {
    let mut rows: Vec<(String, i64)> = rows.iter().map(|(row, weight)| (row_text(row), *weight)).collect();
    rows.sort();
    rows
}
