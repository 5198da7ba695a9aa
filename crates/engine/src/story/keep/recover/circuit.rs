use std::sync::Arc;

use headwater_relation::Relation;

use super::RecoverError;
use crate::state::{FillError, State, filled_circuit};

/// Builds the circuit over the tables as they are; views that follow from kept rows get theirs from it.
pub(super) fn fill(state: &mut State) -> Result<(), RecoverError> {
    let lsn = state.lsn;
    let program = Arc::clone(&state.program);
    let tables: Vec<Option<&Relation>> = state.tables.iter().map(Option::as_ref).collect();
    let views = &mut state.views;
    let filled = filled_circuit(
        &program,
        &tables,
        |_| false,
        |name, delta| {
            let view = program.views.iter().position(|view| view.definition.name == *name);
            let Some(view) = view.filter(|view| !program.views[*view].from_unkept) else { return Ok(()) };
            let inconsistent = |reason: String| FillError::Inconsistent { view: name.clone(), reason };
            let change =
                views[view].prepare_multiset(&delta).map_err(|error| inconsistent(error.to_string()))?;
            views[view].publish(change);
            Ok(())
        },
    );
    state.circuit = filled.map_err(|error| RecoverError::fill(lsn, &error))?.circuit;
    Ok(())
}
