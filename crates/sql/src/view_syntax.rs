//! What a view may say. Refusing on the syntax tree, before planning, gives each refusal the place it was written at.

use std::ops::ControlFlow;

use datafusion::execution::context::SessionState;
use datafusion::sql::sqlparser::ast::{
    Distinct, DuplicateTreatment, Expr, Function, FunctionArguments, GroupByExpr, JoinConstraint,
    JoinOperator, Query, Select, SetExpr, SetOperator, SetQuantifier, Spanned, TableFactor, TableWithJoins,
    Visit, Visitor,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use crate::bounds::{EXPRESSION_DEPTH_MAX, JOINS_PER_SELECT_MAX, SUBQUERY_DEPTH_MAX, UNION_BRANCHES_MAX};
use crate::column_type::column_type;
use crate::functions::{self, VIEW_AGGREGATES};
use crate::names;
use crate::parse::too_deep;
use crate::plan_check::not_deterministic;
use crate::source::Refusal;
use crate::suggest;

/// Refuses what a view cannot say.
pub(crate) fn check_view(query: &Query, state: &SessionState) -> Result<(), Refusal> {
    run(query, Checker { state: Some(state), depth: 0, subqueries: 0, span: Span::empty() })
}

/// Refuses what a constant expression cannot say.
pub(crate) fn check_constant(expr: &Expr, state: &SessionState) -> Result<(), Refusal> {
    run(expr, Checker { state: Some(state), depth: 0, subqueries: 0, span: Span::empty() })
}

/// Refuses only what is too large to plan.
pub(crate) fn check_size(query: &Query) -> Result<(), Refusal> {
    run(query, Checker { state: None, depth: 0, subqueries: 0, span: Span::empty() })
}

fn run(node: &impl Visit, mut checker: Checker<'_>) -> Result<(), Refusal> {
    match node.visit(&mut checker) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(refusal) => Err(*refusal),
    }
}

/// Walks the tree; without `state` it only measures.
struct Checker<'a> {
    state: Option<&'a SessionState>,
    depth: usize,
    /// SELECTs that stand in expressions and are open.
    subqueries: usize,
    /// The last place that was known on the way down, for parts that carry none.
    span: Span,
}

impl Visitor for Checker<'_> {
    type Break = Box<Refusal>;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Box<Refusal>> {
        flow(check_branches(query).and_then(|()| match self.state {
            Some(_) => check_query(query),
            None => Ok(()),
        }))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Box<Refusal>> {
        self.span = select.select_token.0.span;
        flow(check_joins(select).and_then(|()| match self.state {
            Some(_) => check_select(select),
            None => Ok(()),
        }))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Box<Refusal>> {
        match self.state {
            Some(_) => flow(check_factor(factor).map_err(|refusal| refusal.at(self.span).at(factor.span()))),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<Refusal>> {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            let message = format!("an expression nests deeper than {EXPRESSION_DEPTH_MAX}");
            let hint = "write long lists of alternatives with IN (…), or join a table that holds them";
            return flow(Err(too_deep(message).hint(hint).at(self.span)));
        }
        self.subqueries += usize::from(is_subquery(expr));
        if self.subqueries > SUBQUERY_DEPTH_MAX {
            let message = format!("SELECTs in expressions nest deeper than {SUBQUERY_DEPTH_MAX}");
            return flow(Err(too_deep(message).hint("join instead, or name parts with WITH").at(self.span)));
        }
        match self.state {
            Some(state) => flow(check_expression(expr, state).map_err(|refusal| {
                let place = refusal.place;
                refusal.at(self.span).at(expr.span()).at_place(place)
            })),
            None => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Box<Refusal>> {
        self.depth -= 1;
        self.subqueries -= usize::from(is_subquery(expr));
        ControlFlow::Continue(())
    }
}

fn is_subquery(expr: &Expr) -> bool {
    matches!(expr, Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. })
}

fn flow(result: Result<(), Refusal>) -> ControlFlow<Box<Refusal>> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(refusal) => ControlFlow::Break(Box::new(refusal)),
    }
}

/// Bounds a chain of set operations, which nests once per branch, without recursing into it.
fn check_branches(query: &Query) -> Result<(), Refusal> {
    let mut body = query.body.as_ref();
    let mut branches = 1;
    while let SetExpr::SetOperation { left, .. } = body {
        branches += 1;
        body = left.as_ref();
    }
    if branches <= UNION_BRANCHES_MAX {
        return Ok(());
    }
    let message = format!("a UNION has at most {UNION_BRANCHES_MAX} branches, this one has {branches}");
    Err(Refusal::new("too_large", message).hint("unite parts of it in views").at(leftmost_span(body)))
}

fn leftmost_span(body: &SetExpr) -> Span {
    body.as_select().map_or(Span::empty(), |select| select.select_token.0.span)
}

fn check_joins(select: &Select) -> Result<(), Refusal> {
    let count: usize = select.from.iter().map(|from| 1 + from.joins.len()).sum();
    if count <= JOINS_PER_SELECT_MAX {
        return Ok(());
    }
    let message = format!("a SELECT joins at most {JOINS_PER_SELECT_MAX} relations, this one {count}");
    Err(Refusal::new("too_large", message).hint("join parts of them in views").at(select.select_token.0.span))
}

const IN_QUERY: &str = "use it in a query instead";

fn check_query(query: &Query) -> Result<(), Refusal> {
    let start = query.span();
    let refuse = |what: &str, hint: &str| Err(Refusal::unsupported(what, hint).at(start));
    if let Some(order_by) = &query.order_by {
        let hint = "order when you query it";
        return Err(Refusal::unsupported("ORDER BY in a view has no meaning", hint)
            .at(start)
            .at(order_by.span()));
    }
    if let Some(limit) = &query.limit_clause {
        let refusal = Refusal::unsupported("LIMIT is not supported in a view", "limit when you query it");
        return Err(refusal.at(start).at(limit.span()));
    }
    if let Some(with) = query.with.as_ref().filter(|with| with.recursive) {
        let refusal = Refusal::unsupported("WITH RECURSIVE is not supported in a view", IN_QUERY);
        return Err(refusal.at(with.with_token.0.span));
    }
    if query.fetch.is_some() {
        return refuse("FETCH is not supported in a view", "limit when you query it");
    }
    let extras = !query.locks.is_empty()
        || query.for_clause.is_some()
        || query.settings.is_some()
        || query.format_clause.is_some()
        || !query.pipe_operators.is_empty();
    if extras {
        return refuse("this clause is not supported in a view", "end the SELECT at HAVING");
    }
    check_set_operations(&query.body, start)
}

fn check_set_operations(body: &SetExpr, start: Span) -> Result<(), Refusal> {
    match body {
        SetExpr::Select(_) | SetExpr::Query(_) => Ok(()),
        SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: SetQuantifier::All, left, right } => {
            check_set_operations(left, start)?;
            check_set_operations(right, start)
        }
        SetExpr::SetOperation { op, set_quantifier, right, .. } => {
            let written = format!("{op} {set_quantifier}");
            let (what, hint) = match op {
                SetOperator::Union => {
                    ("UNION removes duplicates, which is not supported in a view", "use UNION ALL")
                }
                _ => (written.trim_end(), IN_QUERY),
            };
            let what = if matches!(op, SetOperator::Union) {
                what.to_owned()
            } else {
                format!("{what} is not supported in a view")
            };
            Err(Refusal::unsupported(what, hint).at(start).at(right.span()))
        }
        other => Err(Refusal::unsupported("a view is a SELECT", "read from a table or view")
            .at(start)
            .at(other.span())),
    }
}

fn check_select(select: &Select) -> Result<(), Refusal> {
    let start = select.select_token.0.span;
    let refuse = |what: &str, hint: &str| Err(Refusal::unsupported(what, hint).at(start));
    if let Some(Distinct::Distinct | Distinct::On(_)) = &select.distinct {
        return refuse("DISTINCT is not supported in a view", "GROUP BY the columns and select them");
    }
    if select.from.is_empty() {
        return refuse("a view without a table never changes", "read from a table or view");
    }
    if !select.named_window.is_empty() || select.qualify.is_some() {
        return refuse("window functions are not supported in a view", IN_QUERY);
    }
    let extras = select.top.is_some()
        || select.into.is_some()
        || select.prewhere.is_some()
        || select.exclude.is_some()
        || select.select_modifiers.is_some()
        || select.value_table_mode.is_some()
        || !select.lateral_views.is_empty()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty();
    if extras {
        return refuse(
            "this form of SELECT is not supported in a view",
            "use SELECT, FROM, WHERE, GROUP BY, HAVING",
        );
    }
    match &select.group_by {
        GroupByExpr::Expressions(_, modifiers) if modifiers.is_empty() => {}
        GroupByExpr::Expressions(..) => {
            return refuse("grouping sets are not supported in a view", "GROUP BY columns");
        }
        GroupByExpr::All(_) => return refuse("GROUP BY ALL is not supported in a view", "name the columns"),
    }
    select.from.iter().try_for_each(|from| check_from(from, start))
}

fn check_from(from: &TableWithJoins, start: Span) -> Result<(), Refusal> {
    for join in &from.joins {
        let refuse = |what: String, hint: &str| {
            Err(Refusal::unsupported(what, hint).at(start).at(join.relation.span()))
        };
        let constraint = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => constraint,
            JoinOperator::CrossJoin(_) => {
                return refuse(
                    "CROSS JOIN is not supported in a view: every row would meet every other".to_owned(),
                    "join with ON a.x = b.y",
                );
            }
            JoinOperator::Left(_)
            | JoinOperator::LeftOuter(_)
            | JoinOperator::Right(_)
            | JoinOperator::RightOuter(_)
            | JoinOperator::FullOuter(_) => {
                let hint = "use an inner JOIN; the rows without partner can be a second branch in a query";
                return refuse("outer joins are not supported in a view".to_owned(), hint);
            }
            _ => {
                return refuse(
                    "this kind of join is not supported in a view".to_owned(),
                    "use JOIN … ON a.x = b.y",
                );
            }
        };
        match constraint {
            JoinConstraint::On(_) | JoinConstraint::Using(_) => {}
            JoinConstraint::Natural => {
                return refuse(
                    "NATURAL JOIN changes meaning when a column is added".to_owned(),
                    "use USING (column)",
                );
            }
            JoinConstraint::None => {
                return refuse(
                    "a join in a view needs an equality".to_owned(),
                    "add ON a.x = b.y or USING (x)",
                );
            }
        }
    }
    Ok(())
}

fn check_factor(factor: &TableFactor) -> Result<(), Refusal> {
    match factor {
        TableFactor::Table {
            args: None,
            version: None,
            with_ordinality: false,
            sample: None,
            json_path: None,
            ..
        }
        | TableFactor::Derived { lateral: false, sample: None, .. }
        | TableFactor::NestedJoin { .. } => Ok(()),
        TableFactor::Derived { lateral: true, .. } => {
            Err(Refusal::unsupported("LATERAL is not supported in a view", "join with ON instead"))
        }
        TableFactor::Table { args: Some(_), .. }
        | TableFactor::Function { .. }
        | TableFactor::TableFunction { .. } => Err(Refusal::unsupported(
            "table functions are not supported in a view",
            "read from a table or view",
        )),
        TableFactor::UNNEST { .. } => {
            Err(Refusal::unsupported("UNNEST is not supported in a view", IN_QUERY))
        }
        _ => Err(Refusal::unsupported(
            "this is not supported behind FROM in a view",
            "read from a table or view",
        )),
    }
}

fn check_expression(expr: &Expr, state: &SessionState) -> Result<(), Refusal> {
    let refuse = |what: &str, hint: &str| Err(Refusal::unsupported(what, hint));
    match expr {
        Expr::Function(function) => {
            check_function(function, state).map_err(|refusal| refusal.at(function.name.span()))
        }
        Expr::InSubquery { .. } => {
            refuse("IN (SELECT …) is not supported in a view", "join with the grouped keys")
        }
        Expr::Exists { .. } => refuse("EXISTS is not supported in a view", "join with the grouped keys"),
        Expr::Subquery(_) => refuse("a SELECT as a value is not supported in a view", "join with it instead"),
        Expr::AnyOp { .. } | Expr::AllOp { .. } => {
            refuse("ANY and ALL are not supported in a view", "use IN (…)")
        }
        Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => {
            refuse("grouping sets are not supported in a view", "GROUP BY columns; unite several views")
        }
        Expr::Array(_) | Expr::Map(_) | Expr::Struct { .. } | Expr::Dictionary(_) | Expr::Tuple(_) => {
            refuse("nested values are not supported in a view", "use one column per value")
        }
        Expr::CompoundFieldAccess { .. } | Expr::JsonAccess { .. } | Expr::Lambda(_) => {
            refuse("nested values are not supported in a view", "use one column per value")
        }
        Expr::AtTimeZone { .. } => {
            refuse("time zones are not supported in a view", "times are UTC; convert in a query")
        }
        Expr::Cast { data_type, .. } | Expr::Convert { data_type: Some(data_type), .. } => {
            column_type(data_type)
                .map(|_| ())
                .map_err(|refusal| Refusal::unsupported(refusal.message, refusal.hint))
        }
        Expr::Value(value) => match &value.value {
            datafusion::sql::sqlparser::ast::Value::Placeholder(_) => {
                refuse("a view takes no parameters", "write the value")
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_function(function: &Function, state: &SessionState) -> Result<(), Refusal> {
    let name = function
        .name
        .0
        .iter()
        .filter_map(|part| part.as_ident())
        .map(names::fold)
        .collect::<Vec<_>>()
        .join(".");
    if function.over.is_some() {
        return Err(Refusal::unsupported("window functions are not supported in a view", IN_QUERY));
    }
    if let Some(aggregate) = state.aggregate_functions().get(&name) {
        return check_aggregate(function, aggregate.name());
    }
    if let Some(scalar) = state.scalar_functions().get(&name) {
        return if functions::is_deterministic(scalar) { Ok(()) } else { Err(not_deterministic(&name)) };
    }
    if state.window_functions().contains_key(&name) {
        return Err(Refusal::unsupported("window functions are not supported in a view", IN_QUERY));
    }
    let known = state.scalar_functions().keys().map(String::as_str).chain(VIEW_AGGREGATES);
    let mut refusal = Refusal::new("unknown_function", format!("unknown function {name:?}"));
    refusal.hint = suggest::nearest(&name, known).map(|near| format!("did you mean {near:?}?"));
    Err(refusal)
}

fn check_aggregate(function: &Function, name: &str) -> Result<(), Refusal> {
    let refuse = |what: String, hint: &str| Err(Refusal::unsupported(what, hint));
    if !VIEW_AGGREGATES.contains(&name) {
        let upper = name.to_uppercase();
        return refuse(format!("{upper} is not supported in a view"), "use COUNT, SUM, AVG, MIN or MAX");
    }
    if function.filter.is_some() {
        let hint = "put the condition into the argument: SUM(CASE WHEN condition THEN x END)";
        return refuse("FILTER is not supported in a view".to_owned(), hint);
    }
    let FunctionArguments::List(list) = &function.args else { return Ok(()) };
    if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
        let upper = name.to_uppercase();
        return refuse(
            format!("{upper}(DISTINCT …) is not supported in a view"),
            "GROUP BY in a view, aggregate in the next",
        );
    }
    let plain =
        list.clauses.is_empty() && function.null_treatment.is_none() && function.within_group.is_empty();
    if plain {
        Ok(())
    } else {
        refuse(format!("this form of {name} is not supported in a view"), "give it one argument")
    }
}
