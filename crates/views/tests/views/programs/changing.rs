//! Random programs that are changed now and then, while steps go on.

use std::collections::{BTreeMap, HashMap, HashSet};

use headwater_sql::{CompileOptions, Program, ViewDefinition, compile};
use headwater_types::{Delta, Name, WeightedRows};
use headwater_views::{StepOutput, view_schema};

use super::generate::{Domain, Generated};
use super::random::Random;
use super::{Case, Content, base_seed};
use crate::value::{self, Row, row_text};

/// A case, and the rows of its views as rows.
struct Changing {
    case: Case,
    rows: HashMap<Name, Rows>,
    /// The next name of a view.
    next: usize,
}

/// Rows of a view and their weights, by their texts.
type Rows = BTreeMap<String, (Row, i64)>;

fn add(rows: &mut Rows, delta: &Delta) {
    for part in &delta.parts {
        for row in 0..part.rows.num_rows() {
            let content = value::row(&part.rows, row);
            let text = row_text(&content);
            let entry = rows.entry(text.clone()).or_insert((content, 0));
            entry.1 += part.weight(row);
            if entry.1 == 0 {
                rows.remove(&text);
            }
        }
    }
}

fn content(rows: &Rows) -> Content {
    rows.iter().map(|(text, (_, weight))| (text.clone(), *weight)).collect()
}

fn delta(schema: &arrow::datatypes::SchemaRef, rows: Vec<(Row, i64)>) -> Delta {
    let (rows, weights): (Vec<Row>, Vec<i64>) = rows.into_iter().unzip();
    Delta { parts: vec![WeightedRows::weighted(value::batch(schema, &rows), weights)] }
}

fn view<'p>(program: &'p Program, name: &Name) -> &'p ViewDefinition {
    program.views.iter().find(|view| view.name == *name).unwrap()
}

impl Changing {
    fn new(seed: u64, random: &mut Random) -> Option<Changing> {
        let case = Case::new(seed, random, Domain::Everything)?;
        let next = case.generated.views.len();
        Some(Changing { case, rows: HashMap::new(), next })
    }

    fn take(&mut self, output: &StepOutput) {
        output.deltas.iter().for_each(|(view, delta)| add(self.rows.entry(view.clone()).or_default(), delta));
    }

    /// One step; what it changed, tables and views.
    fn step(&mut self, random: &mut Random) -> Vec<(Name, Delta)> {
        let changes = self.case.random_changes(random);
        let inputs = self.case.inputs(random, changes);
        let output = self.case.circuit.step(inputs.clone()).unwrap();
        self.take(&output);
        inputs.into_iter().chain(output.deltas).collect()
    }

    /// The views without some, and without all that read those; and some more.
    fn changed(&mut self, random: &mut Random) -> (Vec<usize>, Generated) {
        let old = &self.case.generated;
        let mut kept: Vec<usize> = Vec::new();
        for (position, (relation, _, _)) in old.views.iter().enumerate() {
            let definition = self.case.program.views.iter().find(|view| view.name.as_str() == relation.name);
            let sql = &definition.unwrap().sql;
            let reads_dropped = (0..position)
                .filter(|other| !kept.contains(other))
                .any(|other| sql.contains(&old.views[other].0.name));
            if !reads_dropped && !random.one_in(3) {
                kept.push(position);
            }
        }
        let views = kept.iter().map(|position| old.views[*position].clone()).collect();
        let mut new = Generated { domain: old.domain, tables: old.tables.clone(), views };
        for _ in 0..random.below(3) {
            let view = new.view(random, self.next);
            self.next += 1;
            new.views.push(view);
        }
        (kept, new)
    }

    fn change(&mut self, random: &mut Random) -> bool {
        let (kept, generated) = self.changed(random);
        let Ok(program) = compile(&generated.sql(), &CompileOptions::default()) else { return false };
        let kept: HashSet<Name> =
            kept.iter().map(|view| Name::new(&self.case.generated.views[*view].0.name).unwrap()).collect();
        self.case.circuit.begin_change(&program, &kept).unwrap();
        let sources = self.case.circuit.change_sources();
        let mut inputs: Vec<(Name, Delta)> =
            sources.iter().flat_map(|name| self.parts(random, name)).collect();
        let mut filled: HashMap<Name, Rows> = HashMap::new();
        let mut steps_left = 3;
        let mut fed = self.case.circuit.feed_change(Vec::new()).unwrap();
        loop {
            fed.deltas.iter().for_each(|(view, delta)| add(filled.entry(view.clone()).or_default(), delta));
            if steps_left > 0 && random.one_in(3) {
                steps_left -= 1;
                // Steps go on meanwhile, and the change hears of them.
                let changes = self.step(random);
                inputs.extend(changes.into_iter().filter(|(name, _)| sources.contains(name)));
            }
            let Some(input) = (!inputs.is_empty()).then(|| inputs.remove(0)) else { break };
            fed = self.case.circuit.feed_change(vec![input]).unwrap();
        }
        self.case.circuit.finish_change();
        let again = sources.iter().find(|source| filled.contains_key(*source));
        assert_eq!(again, None, "a view that is carried on was computed again");
        self.rows.retain(|view, _| kept.contains(view));
        for (view, rows) in filled {
            if let Some(known) = self.rows.get(&view) {
                let same = content(known) == content(&rows);
                assert!(same, "seed {}: a view that moved has other rows", self.case.seed);
            }
            self.rows.insert(view, rows);
        }
        self.case.generated = generated;
        self.case.program = program;
        true
    }

    /// All rows of a relation, in several parts.
    fn parts(&self, random: &mut Random, name: &Name) -> Vec<(Name, Delta)> {
        let (schema, mut rows): (_, Vec<(Row, i64)>) = match self.case.tables.get(name.as_str()) {
            Some(rows) => {
                let table = self.case.program.tables.iter().find(|table| table.name == *name).unwrap();
                (table.schema(), rows.iter().map(|row| (row.clone(), 1)).collect())
            }
            None => {
                let rows = self.rows.get(name).map(|rows| rows.values().cloned().collect());
                (view_schema(view(&self.case.program, name)), rows.unwrap_or_default())
            }
        };
        let mut parts = Vec::new();
        while !rows.is_empty() {
            let part = rows.drain(..1 + random.below(rows.len())).collect();
            parts.push((name.clone(), delta(&schema, part)));
        }
        parts
    }

    fn check(&mut self) {
        self.case.views =
            self.rows.iter().map(|(view, rows)| (view.as_str().to_owned(), content(rows))).collect();
        self.case.check();
    }
}

fn run(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let Some(mut changing) = Changing::new(seed, &mut random) else { return 0 };
    let first = changing.case.circuit.step(Vec::new()).unwrap();
    changing.take(&first);
    let mut changes = 0;
    for _ in 0..6 {
        changing.step(&mut random);
        if random.one_in(2) && changing.change(&mut random) {
            changes += 1;
            changing.check();
        }
    }
    changing.step(&mut random);
    changing.check();
    changes
}

#[test]
fn a_program_that_is_changed_ends_in_the_rows_of_its_last_form() {
    let base = match std::env::var("HEADWATER_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => base_seed(),
    };
    println!("seeds {base}..{}", base + 120);
    let changes: usize = (base..base + 120).map(run).sum();
    assert!(changes > 100, "too few changes: {changes}");
}
