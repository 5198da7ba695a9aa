//! What a circuit keeps by changes is what plain loops compute from all rows: for random schemas, programs and
//! changes, cut into random steps. `HEADWATER_SEED` replays one case, `HEADWATER_PROGRAMS` sets how many are made.

mod changing;
mod duckdb;
mod expression;
mod generate;
mod query;
mod random;
mod restarts;
mod rules;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use headwater_sql::{CompileOptions, Program, compile};
use headwater_types::{Delta, Name, WeightedRows};
use headwater_views::{Circuit, StepOutput};

use generate::{Domain, Generated};
use query::Tables;
use random::Random;
use rules::Hits;

use crate::support::circuit;
use crate::value::{self, Row, row_text};

/// Rows of a view with their multiplicity.
type Content = BTreeMap<String, i64>;

/// One program under test.
struct Case {
    seed: u64,
    generated: Generated,
    program: Program,
    circuit: Circuit,
    tables: Tables,
    views: BTreeMap<String, Content>,
}

impl Case {
    /// A case, unless its program is refused: two aggregates that differ by an implied cast have one name, and
    /// constants over an aggregate without keys are a row that no table changes.
    fn new(seed: u64, random: &mut Random, domain: Domain) -> Option<Case> {
        let generated = Generated::new(random, domain);
        let sql = generated.sql();
        let program = match compile(&sql, &CompileOptions::default()) {
            Err(error) if error.code == "duplicate_name" => return None,
            Err(error) if error.message == "a view without a table never changes" => return None,
            compiled => compiled.unwrap_or_else(|error| panic!("seed {seed}\n{sql}\n{error}")),
        };
        let circuit = circuit(&program);
        let tables = generated.tables.iter().map(|table| (table.name.clone(), Vec::new())).collect();
        Some(Case { seed, generated, program, circuit, tables, views: BTreeMap::new() })
    }

    /// Runs one step of changes, a list of rows with weights per table.
    fn step(&mut self, random: &mut Random, changes: BTreeMap<String, Vec<(Row, i64)>>) {
        let inputs = self.inputs(random, changes);
        let output = self.circuit.step(inputs).unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
        self.integrate(&output);
    }

    fn inputs(&self, random: &mut Random, changes: BTreeMap<String, Vec<(Row, i64)>>) -> Vec<(Name, Delta)> {
        let input = |(table, rows): (String, Vec<(Row, i64)>)| {
            (Name::new(&table).unwrap(), self.delta(random, &table, rows))
        };
        changes.into_iter().map(input).collect()
    }

    fn delta(&self, random: &mut Random, table: &str, mut rows: Vec<(Row, i64)>) -> Delta {
        let definition = self.program.tables.iter().find(|known| known.name.as_str() == table).unwrap();
        let mut delta = Delta::default();
        while !rows.is_empty() {
            let part: Vec<(Row, i64)> = rows.drain(..1 + random.below(rows.len())).collect();
            let (rows, weights): (Vec<Row>, Vec<i64>) = part.into_iter().unzip();
            delta.parts.push(WeightedRows::weighted(value::batch(&definition.schema(), &rows), weights));
        }
        delta
    }

    fn integrate(&mut self, output: &StepOutput) {
        for (view, delta) in &output.deltas {
            let content = self.views.entry(view.as_str().to_owned()).or_default();
            for part in &delta.parts {
                for row in 0..part.rows.num_rows() {
                    assert_ne!(part.weight(row), 0, "a weight is never zero");
                    let text = row_text(&value::row(&part.rows, row));
                    let weight = content.entry(text.clone()).or_default();
                    *weight += part.weight(row);
                    if *weight == 0 {
                        content.remove(&text);
                    }
                }
            }
        }
    }

    /// Compares every materialised view with plain loops over all rows.
    fn check(&self) -> usize {
        let mut tables = self.tables.clone();
        let mut rows_found = 0;
        for (relation, query, materialized) in &self.generated.views {
            let rows = query.rows(&tables);
            if *materialized {
                let mut expected = Content::new();
                rows.iter().for_each(|row| *expected.entry(row_text(row)).or_default() += 1);
                let found = self.views.get(&relation.name).cloned().unwrap_or_default();
                rows_found += found.len();
                let context = || format!("seed {}, {}\n{}", self.seed, relation.name, self.generated.sql());
                assert_eq!(found, expected, "{}\n{:#?}", context(), self.tables);
            }
            tables.insert(relation.name.clone(), rows);
        }
        rows_found
    }

    /// A random change of each table: insertions, deletions, and both as updates.
    fn random_changes(&mut self, random: &mut Random) -> BTreeMap<String, Vec<(Row, i64)>> {
        let mut changes = BTreeMap::new();
        for relation in &self.generated.tables {
            let rows = self.tables.get_mut(&relation.name).unwrap();
            let mut change = Vec::new();
            for _ in 0..random.below(6) {
                let removes = !rows.is_empty() && random.one_in(3);
                if removes {
                    change.push((rows.swap_remove(random.below(rows.len())), -1));
                }
                if !removes || random.one_in(2) {
                    let row = if !rows.is_empty() && random.one_in(6) {
                        random.pick(rows).clone()
                    } else {
                        generate::row(random, relation, self.generated.domain)
                    };
                    rows.push(row.clone());
                    change.push((row, 1));
                }
            }
            if !change.is_empty() {
                changes.insert(relation.name.clone(), change);
            }
        }
        changes
    }

    fn remove_everything(&mut self, random: &mut Random) {
        let removed = self
            .tables
            .iter_mut()
            .map(|(table, rows)| (table.clone(), rows.drain(..).map(|row| (row, -1)).collect::<Vec<_>>()));
        let changes = removed.filter(|(_, rows)| !rows.is_empty()).collect();
        self.step(random, changes);
    }
}

fn run(seed: u64, hits: &mut Hits) -> bool {
    let mut random = Random::new(seed);
    let Some(mut case) = Case::new(seed, &mut random, Domain::Everything) else { return false };
    hits.count(&case.program);
    case.step(&mut random, BTreeMap::new());
    case.check();
    let mut rows = 0;
    for _ in 0..1 + random.below(5) {
        let changes = case.random_changes(&mut random);
        case.step(&mut random, changes);
        rows = case.check();
    }
    case.remove_everything(&mut random);
    case.check();
    rows > 0
}

/// A seed that differs from run to run.
fn base_seed() -> u64 {
    RandomState::new().hash_one(0) >> 1
}

#[test]
fn changes_add_up_to_what_plain_loops_compute() {
    let mut hits = Hits::default();
    if let Ok(seed) = std::env::var("HEADWATER_SEED") {
        run(seed.parse().unwrap(), &mut hits);
        return;
    }
    let programs: usize =
        std::env::var("HEADWATER_PROGRAMS").map_or(700, |programs| programs.parse().unwrap());
    let base = base_seed();
    println!("seeds {base}..{}", base + programs as u64);
    let non_empty = (0..programs as u64).filter(|index| run(base + index, &mut hits)).count();
    println!("{non_empty} of {programs} programs have rows at the end\n{hits}");
    hits.assert_all_hit();
    assert!(non_empty * 7 >= programs * 5, "too few programs have rows: {non_empty} of {programs}");
}
