use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use datafusion::sql::sqlparser::ast;
use headwater_types::ColumnType;

use crate::catalog::Catalog;
use crate::conversions;
use crate::fold_constants;
use crate::plan_error::reason;
use crate::source::Refusal;
use crate::view_syntax;

/// The value of a DEFAULT, computed once and of the column's type: an array of one element.
///
/// It is computed when the program is set, so each later record gets the same value, also on replay.
pub(crate) fn compile(
    expr: &ast::Expr,
    column_type: ColumnType,
    must_be_value: bool,
    state: &SessionState,
) -> Result<ArrayRef, Refusal> {
    view_syntax::check_constant(expr, state)?;
    let value = evaluate(expr, column_type, state).map_err(|error| {
        let message = format!("the DEFAULT {expr} is not a constant {column_type}: {}", reason(&error));
        Refusal::new("invalid_default", message).hint("write a literal of the column's type")
    })?;
    if must_be_value && value.is_null() {
        let refusal = Refusal::new("invalid_default", "the DEFAULT of a NOT NULL column is NULL");
        return Err(refusal.hint("leave out DEFAULT or NOT NULL"));
    }
    let array = value.to_array().map_err(|error| Refusal::new("invalid_default", reason(&error)))?;
    assert_eq!(
        (array.len(), array.data_type()),
        (1, &column_type.arrow()),
        "a DEFAULT is one value of its column"
    );
    Ok(array)
}

fn evaluate(
    expr: &ast::Expr,
    column_type: ColumnType,
    state: &SessionState,
) -> datafusion::error::Result<ScalarValue> {
    let schema = DFSchema::empty();
    let constant = plan_constant(expr, state)?;
    let cast =
        match conversions::explicit(Expr::Cast(Cast::new(Box::new(constant), column_type.arrow())), &schema)?
        {
            Expr::Cast(cast) => cast.expr.cast_to(&column_type.arrow(), &schema)?,
            converted => converted,
        };
    fold_constants::evaluate(cast, state.config_options())
}

/// An expression without columns, its types settled.
pub(crate) fn plan_constant(expr: &ast::Expr, state: &SessionState) -> datafusion::error::Result<Expr> {
    let catalog = Catalog { state, relations: BTreeMap::new() };
    // Numbers with a point are taken digit by digit: a DECIMAL gets exactly what was written.
    let options = ParserOptions {
        parse_float_as_decimal: true,
        map_string_types_to_utf8view: false,
        ..ParserOptions::new()
    };
    let schema = DFSchema::empty();
    let planner = SqlToRel::new_with_options(&catalog, options);
    let planned = planner.sql_to_expr(expr.clone(), &schema, &mut PlannerContext::new())?;
    let planned = conversions::write_out_in(planned, &schema)?;
    let info = SimplifyContext::builder().with_config_options(state.config_options().clone()).build();
    conversions::check_implicit_in(ExprSimplifier::new(info).coerce(planned, &schema)?, &schema)
}
