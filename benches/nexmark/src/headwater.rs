use std::collections::{HashSet, VecDeque};

use arrow::datatypes::SchemaRef;
use headwater_relation::Relation;
use headwater_sql::{CompileOptions, Program, compile};
use headwater_types::{Delta, Name};
use headwater_views::{Circuit, CircuitOptions, StepOutput};

use crate::batches;
use crate::events::Event;
use crate::side::{Row, Side};

/// A query through Headwater: compiled from SQL when the side is made.
pub(crate) struct Headwater {
    circuit: Circuit,
    tables: Vec<Table>,
    keeps_tables: bool,
    prepared: VecDeque<Vec<(Name, Delta)>>,
    last: StepOutput,
}

struct Table {
    name: Name,
    schema: SchemaRef,
    kept: Relation,
}

/// The program of one query, or why it is refused.
pub(crate) fn program(query: &str) -> Result<Program, String> {
    let text = format!("{}CREATE MATERIALIZED VIEW result AS {query};", batches::TABLES);
    compile(&text, &CompileOptions::default()).map_err(|refusal| refusal.message)
}

impl Headwater {
    /// Starts a circuit. `keeps_tables`: whether a step also stores the rows of the tables that the query reads, as
    /// the engine does with a table that is materialised.
    pub(crate) fn start(program: &Program, keeps_tables: bool) -> Result<Headwater, String> {
        let mut circuit = Circuit::new(CircuitOptions::default());
        circuit.begin_change(program, &HashSet::new()).map_err(|error| error.to_string())?;
        circuit.finish_change();
        let reads = &program.views[0].reads;
        let tables = program.tables.iter().filter(|table| reads.contains(&table.name));
        let tables = tables.map(|table| {
            let schema = table.schema();
            Table { name: table.name.clone(), kept: Relation::new(schema.clone(), Vec::new()), schema }
        });
        Ok(Headwater {
            circuit,
            tables: tables.collect(),
            keeps_tables,
            prepared: VecDeque::new(),
            last: StepOutput::default(),
        })
    }
}

impl Side for Headwater {
    fn prepare(&mut self, events: &[Event]) {
        let deltas = self.tables.iter().filter_map(|table| {
            let rows = batches::batch(table.name.as_str(), &table.schema, events)?;
            Some((table.name.clone(), Delta::inserted(rows)))
        });
        self.prepared.push_back(deltas.collect());
    }

    fn step(&mut self) {
        let inputs = self.prepared.pop_front().expect("a step was prepared");
        if self.keeps_tables {
            for (name, delta) in &inputs {
                let table = self.tables.iter_mut().find(|table| table.name == *name);
                let table = table.expect("only tables that are read are prepared");
                let change = table.kept.prepare_multiset(delta).expect("rows are only added");
                table.kept.publish(change);
            }
        }
        self.last = self.circuit.step(inputs).expect("no step of the benchmark fails");
    }

    fn changes(&mut self) -> Vec<(Row, i64)> {
        let deltas = std::mem::take(&mut self.last).deltas;
        let parts = deltas.into_iter().flat_map(|(_, delta)| delta.parts);
        parts
            .flat_map(|part| {
                let rows = batches::rows(&part.rows).into_iter().enumerate();
                rows.map(|(row, cells)| (cells, part.weight(row))).collect::<Vec<_>>()
            })
            .collect()
    }
}
