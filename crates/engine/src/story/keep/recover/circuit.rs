use std::collections::HashSet;

use super::RecoverError;
use crate::state::State;
use crate::story::program_change::{FillError, build_parts};

/// Builds the circuit over the tables as they are; views that follow from kept rows get theirs from it.
pub(super) fn fill(state: &mut State) -> Result<(), RecoverError> {
    let lsn = state.lsn;
    let filled = build_parts(state, &HashSet::new(), |state, output| {
        for (name, delta) in output.deltas {
            let view = state.program.views.iter().position(|view| view.definition.name == name);
            let Some(view) = view.filter(|view| !state.program.views[*view].from_unkept) else { continue };
            let rows = &mut state.views[view];
            let change = rows
                .prepare_multiset(&delta)
                .map_err(|error| FillError::Inconsistent { view: name.clone(), reason: error.to_string() })?;
            rows.publish(change);
        }
        Ok(())
    });
    filled.map_err(|error| RecoverError::fill(lsn, &error))
}
