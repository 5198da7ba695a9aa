use std::collections::HashSet;
use std::sync::Arc;

use headwater_sql::{Program, ViewDefinition};
use headwater_types::Name;

use super::encoding::decode_notes;
use super::environment::{definitions, environment, plan_hash};
use super::{CircuitCheckpoint, RestoreError};
use crate::circuit::{Circuit, Running, materialized_views};
use crate::component::Component;
use crate::lower::lower;
use crate::options::{CircuitOptions, CircuitStorage};
use crate::part::NewPart;
use crate::storage::book::Book;
use crate::worker::Worker;

impl Circuit {
    /// The circuit of a program as it was at a checkpoint. The next step goes on from there.
    ///
    /// Every file is read and compared first; what else lies in the folder is removed.
    pub fn restore(
        program: &Program,
        options: CircuitOptions,
        checkpoint: &CircuitCheckpoint,
    ) -> Result<Circuit, RestoreError> {
        let storage = options.storage.as_ref().ok_or(RestoreError::NoStorage)?;
        let expected = environment();
        if checkpoint.environment != expected {
            return Err(RestoreError::Environment { found: checkpoint.environment.clone(), expected });
        }
        let parts = recorded_parts(program, checkpoint)?;
        let book = open_book(storage, checkpoint)?;
        let mut circuit = Circuit::new(options);
        circuit.book = Some(book.clone());
        circuit.running = Running {
            tables: program.tables.iter().map(|table| table.name.clone()).collect(),
            views: materialized_views(program),
            is_unstarted: parts.iter().any(NewPart::must_run),
            ..Running::default()
        };
        if !parts.is_empty() {
            let mut worker = Worker::start(&circuit.options, Some(&book))?;
            let restored = worker.restore(parts, checkpoint.number);
            circuit.running.parts = restored.map_err(|error| {
                RestoreError::Refused(book.take_failure().unwrap_or_else(|| error.to_string()))
            })?;
            circuit.worker = Some(worker);
        }
        book.take_notes();
        Ok(circuit)
    }
}

/// The parts as they were, of the program's plans.
fn recorded_parts(program: &Program, checkpoint: &CircuitCheckpoint) -> Result<Vec<NewPart>, RestoreError> {
    let views: Vec<&Name> = checkpoint.parts.iter().flat_map(|part| &part.views).collect();
    let recorded: HashSet<&Name> = views.iter().copied().collect();
    if recorded.len() != views.len() {
        return Err(RestoreError::Program("a view is there twice".into()));
    }
    if let Some(view) = materialized_views(program).keys().find(|view| !recorded.contains(view)) {
        return Err(RestoreError::Program(format!("view {view} is missing")));
    }
    let mut parts = Vec::new();
    for record in &checkpoint.parts {
        let definitions: Vec<&ViewDefinition> = definitions(program, &record.views)
            .map_err(|view| RestoreError::Program(format!("the program has no view {view}")))?;
        let plan_hash = plan_hash(definitions.iter().copied());
        if plan_hash != record.plan_hash {
            let views: Vec<&str> = record.views.iter().map(Name::as_str).collect();
            return Err(RestoreError::Program(format!("views {} are others", views.join(", "))));
        }
        let dataflow = Arc::new(lower(&definitions)?);
        let component = Component::whole(&dataflow);
        parts.push(NewPart { dataflow, component, plan_hash, restored: Some(record.clone()) });
    }
    Ok(parts)
}

fn open_book(storage: &CircuitStorage, checkpoint: &CircuitCheckpoint) -> Result<Arc<Book>, RestoreError> {
    for file in &checkpoint.files {
        Book::verify(&storage.dir, file)
            .map_err(|mismatch| RestoreError::File { name: file.name.clone(), mismatch })?;
    }
    let refused = |error: &dyn std::fmt::Display| RestoreError::Refused(error.to_string());
    let book = Book::open(&storage.dir, &checkpoint.files).map_err(|error| refused(&error))?;
    book.hold(checkpoint.number, checkpoint.files.iter().map(|file| file.name.clone()).collect());
    let notes = checkpoint.files.last().ok_or_else(|| RestoreError::Refused("it has no files".into()))?;
    let notes = book.read_notes(&notes.name).map_err(|error| refused(&error))?;
    for (path, bytes) in decode_notes(&notes).map_err(|error| refused(&error))? {
        book.keep_note(path, Arc::new(bytes));
    }
    Ok(Arc::new(book))
}
