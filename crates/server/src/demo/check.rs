use sonic_rs::{JsonContainerTrait, Value};

use super::answers::{self, Answer};
use super::cell::Cell;
use super::client::{Client, DemoError};
use super::data::Data;
use super::program;

/// How far a float of the batch query may be off, as a share: it adds in the order in which rows come, and rounds at
/// each addition. Views do not: they must be right to the last bit.
const BATCH_TOLERANCE: f64 = 1e-12;

/// One view beside two other ways to the same answer.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) view: &'static str,
    pub(super) rows: usize,
    /// The first place where the view differs from the plain code.
    pub(super) from_plain_code: Option<String>,
    /// The first place where the server's batch query over the base tables differs from the plain code.
    pub(super) from_batch_query: Option<String>,
}

impl Check {
    /// Whether all three say the same.
    pub(super) fn passed(&self) -> bool {
        self.from_plain_code.is_none() && self.from_batch_query.is_none()
    }
}

/// Reads every materialised view and compares.
pub(super) fn every_view(client: &Client, data: &Data) -> Result<Vec<Check>, DemoError> {
    answers::all(data).iter().map(|answer| one_view(client, answer)).collect()
}

fn one_view(client: &Client, answer: &Answer) -> Result<Check, DemoError> {
    let view = client.query(&format!("SELECT * FROM {}", answer.view))?;
    let batch = client.query(&program::batch_query(answer.view))?;
    Ok(Check {
        view: answer.view,
        rows: answer.rows.len(),
        from_plain_code: difference(answer, &view, Cell::eq),
        from_batch_query: difference(answer, &batch, nearly_equal),
    })
}

/// The first row that only one side has, or a row that is not of the view's columns.
fn difference(answer: &Answer, rows: &[Value], equal: impl Fn(&Cell, &Cell) -> bool) -> Option<String> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        match cells(answer, row) {
            Some(cells) => found.push(cells),
            None => return Some(format!("a row with other columns: {row}")),
        }
    }
    found.sort();
    let rows_equal = |found: &[Cell], expected: &[Cell]| found.iter().zip(expected).all(|(f, e)| equal(f, e));
    let place = found.iter().zip(&answer.rows).position(|(found, expected)| !rows_equal(found, expected));
    if place.is_none() && found.len() == answer.rows.len() {
        return None;
    }
    let place = place.unwrap_or(found.len().min(answer.rows.len()));
    Some(format!("expected {}, found {}", shown(answer.rows.get(place)), shown(found.get(place))))
}

fn nearly_equal(found: &Cell, expected: &Cell) -> bool {
    match (found, expected) {
        (Cell::Real(found), Cell::Real(expected)) => {
            (found - expected).abs() <= BATCH_TOLERANCE * found.abs().max(expected.abs())
        }
        _ => found == expected,
    }
}

fn cells(answer: &Answer, row: &Value) -> Option<Vec<Cell>> {
    let object = row.as_object().filter(|object| object.len() == answer.columns.len())?;
    answer.columns.iter().map(|(name, kind)| Cell::from_json(object.get(name)?, *kind)).collect()
}

fn shown(row: Option<&Vec<Cell>>) -> String {
    match row {
        None => "no row".to_string(),
        Some(cells) => cells.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "),
    }
}

#[cfg(test)]
mod tests;
