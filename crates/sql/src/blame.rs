use std::ops::ControlFlow;

use datafusion::execution::context::SessionState;
use datafusion::sql::sqlparser::ast::{Expr, Query, Spanned, Value, Visit, Visitor};

use crate::default_value::plan_constant;
use crate::fold_constants;
use crate::source::Place;

/// The smallest constant expression of a SELECT that fails, told by trying each. Only called once one has failed.
pub(crate) fn failing_constant(query: &Query, state: &SessionState) -> Option<Place> {
    match query.visit(&mut Trial { state, columns: vec![] }) {
        ControlFlow::Break(place) => place,
        ControlFlow::Continue(()) => None,
    }
}

struct Trial<'a> {
    state: &'a SessionState,
    /// For each expression that is open: whether it has a column in it.
    columns: Vec<bool>,
}

impl Visitor for Trial<'_> {
    type Break = Option<Place>;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Option<Place>> {
        self.columns
            .push(matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Subquery(_)));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Option<Place>> {
        let has_column = self.columns.pop().unwrap_or(true);
        if let Some(outer) = self.columns.last_mut() {
            *outer |= has_column;
        }
        let is_literal = matches!(expr, Expr::Value(value) if !matches!(value.value, Value::Placeholder(_)));
        if has_column || is_literal {
            return ControlFlow::Continue(());
        }
        let Ok(planned) = plan_constant(expr, self.state) else { return ControlFlow::Continue(()) };
        match fold_constants::evaluate(planned, self.state.config_options()) {
            Err(error) if fold_constants::is_constant_failure(&error) => {
                ControlFlow::Break(Place::of(expr.span()))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
