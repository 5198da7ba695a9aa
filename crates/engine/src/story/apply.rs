//! The views follow a step's changes. Nothing here is visible before [`super::reply`] publishes it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::record_batch::RecordBatch;
use headwater_changes::Order;
use headwater_relation::Change;
use headwater_types::{Delta, Lsn, Name, TimestampMicros};
use headwater_views::{ExpressionError, StepError};

use crate::program::{ProgramTable, RelationId};
use crate::record::RejectedRecord;
use crate::state::{State, error_view_schema, quarantine_schema};
use crate::story::order::{NetChanges, TableChange};

/// What a step does, ready to be published.
#[derive(Default)]
pub(crate) struct Applied {
    /// Tables by position, and their changes.
    pub tables: Vec<(usize, Change)>,
    /// Materialised views by position, and their changes.
    pub views: Vec<(usize, Change)>,
    /// The same changes of tables and views, for those who follow them.
    pub deltas: Vec<RelationDelta>,
    /// New rows of error_view.
    pub error_view: Option<RecordBatch>,
}

/// What a step changes in one relation.
pub(crate) struct RelationDelta {
    /// Which.
    pub relation: RelationId,
    /// The rows that come and go.
    pub delta: Delta,
    /// In which order followers are told.
    pub order: Order,
}

/// Why a step was not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// A view's computation panicked: the step is to be skipped.
    #[error("{0}")]
    Panicked(String),
    /// The dataflow's storage failed: nothing is skipped.
    #[error("{0}")]
    Storage(String),
    /// State and step contradict each other.
    #[error("{0}")]
    Inconsistent(String),
}

impl From<StepError> for ApplyError {
    fn from(error: StepError) -> ApplyError {
        match error {
            StepError::Panicked(reason) => ApplyError::Panicked(reason),
            StepError::Storage(reason) => ApplyError::Storage(reason),
        }
    }
}

/// Computes what a step does to tables and views.
pub(crate) fn apply(
    state: &mut State,
    changes: NetChanges,
    lsn: Lsn,
    ingest_time: TimestampMicros,
) -> Result<Applied, ApplyError> {
    passed!("apply");
    let mut applied = Applied::default();
    let mut inputs: Vec<(Name, Delta)> = Vec::new();
    for (table, change) in changes.tables {
        let ProgramTable { id, definition, .. } = &state.program.tables[table];
        let delta = change.delta();
        inputs.push((definition.name.clone(), delta.clone()));
        applied.deltas.push(RelationDelta { relation: *id, delta, order: Order::Given });
        if let Some(rows) = &state.tables[table] {
            let change = match change {
                TableChange::Keyed { removed, inserted, .. } => rows.prepare_keyed(removed, inserted),
                TableChange::Multiset(delta) => rows
                    .prepare_multiset(&delta)
                    .map_err(|error| ApplyError::Inconsistent(error.to_string()))?,
            };
            applied.tables.push((table, change));
        }
    }
    if !inputs.is_empty() {
        let output = state.circuit.step(inputs)?;
        for (name, delta) in output.deltas {
            let view = state.program.views.iter().position(|view| view.definition.name == name);
            let view = view.ok_or_else(|| ApplyError::Inconsistent(format!("no view {name:?}")))?;
            let change = state.views[view].prepare_multiset(&delta);
            let change =
                change.map_err(|error| ApplyError::Inconsistent(format!("view {name:?}: {error}")))?;
            applied.views.push((view, change));
            let relation = state.program.views[view].id;
            applied.deltas.push(RelationDelta { relation, delta, order: Order::Bytes });
        }
        applied.error_view = error_rows(&output.errors, output.errors_total, lsn, ingest_time);
    }
    Ok(applied)
}

/// The rows of error_view for these errors; `None` for none.
pub(crate) fn error_rows(
    errors: &[ExpressionError],
    total: u64,
    lsn: Lsn,
    ingest_time: TimestampMicros,
) -> Option<RecordBatch> {
    let last = errors.last()?;
    let unlisted = total.saturating_sub(errors.len() as u64);
    let more = (unlisted > 0).then(|| ExpressionError {
        reason: format!("and {unlisted} further errors in this step"),
        ..last.clone()
    });
    let errors: Vec<&ExpressionError> = errors.iter().chain(&more).collect();
    let text = |of: fn(&ExpressionError) -> &str| -> ArrayRef {
        Arc::new(errors.iter().map(|error| Some(of(error))).collect::<StringArray>())
    };
    let columns = vec![
        lsn_column(lsn, errors.len()),
        time_column(ingest_time, errors.len()),
        text(|error| error.view.as_str()),
        text(|error| &error.column),
        text(|error| &error.reason),
    ];
    Some(RecordBatch::try_new(error_view_schema(), columns).expect("the columns are those of the schema"))
}

/// The rows of quarantine for these refused records; `None` for none.
pub(crate) fn quarantine_rows(
    rejected: &[(&str, &RejectedRecord)],
    lsn: Lsn,
    ingest_time: TimestampMicros,
) -> Option<RecordBatch> {
    if rejected.is_empty() {
        return None;
    }
    let text = |of: fn(&RejectedRecord) -> Option<&str>| -> ArrayRef {
        Arc::new(rejected.iter().map(|(_, record)| of(record)).collect::<StringArray>())
    };
    let columns = vec![
        lsn_column(lsn, rejected.len()),
        time_column(ingest_time, rejected.len()),
        Arc::new(rejected.iter().map(|(endpoint, _)| Some(*endpoint)).collect::<StringArray>()),
        Arc::new(rejected.iter().map(|(_, record)| i64::from(record.index)).collect::<Int64Array>()),
        text(|record| Some(&record.code)),
        text(|record| Some(record.column.as_str()).filter(|text| !text.is_empty())),
        text(|record| Some(&record.message)),
        text(|record| Some(record.hint.as_str()).filter(|text| !text.is_empty())),
        text(|record| Some(&record.payload)),
    ];
    Some(RecordBatch::try_new(quarantine_schema(), columns).expect("the columns are those of the schema"))
}

fn lsn_column(lsn: Lsn, rows: usize) -> ArrayRef {
    Arc::new(Int64Array::from(vec![lsn.0.cast_signed(); rows]))
}

fn time_column(time: TimestampMicros, rows: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![time.0; rows]))
}
