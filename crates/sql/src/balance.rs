//! Long chains of AND and of OR as balanced trees: whoever walks or evaluates an expression recurses as deep as it nests,
//! and the parser nests a chain once per term. Both operators are associative, with NULL too, and on one row the terms
//! that are left out after a FALSE or TRUE are the same in every grouping.

use std::ops::ControlFlow;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{self, LogicalPlan, Operator};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Statement, Value, VisitMut, VisitorMut};

use crate::bounds::EXPRESSION_DEPTH_MAX;

/// Chains up to this long stay as they are written.
const TERMS_IN_LINE: usize = 32;

/// Balances the chains of a statement as it was parsed.
pub(crate) fn balance_statement(statement: &mut Statement) {
    let _ = statement.visit(&mut Balancer { depth: 0 });
}

/// Stops where the statement nests too deep in other ways; it is refused for that later.
struct Balancer {
    depth: usize,
}

impl VisitorMut for Balancer {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            return ControlFlow::Break(());
        }
        for operator in [BinaryOperator::And, BinaryOperator::Or] {
            let terms = chain_length(expr, &operator);
            if terms > TERMS_IN_LINE {
                let terms = take_terms(expr, &operator);
                let join = |left, right| Expr::BinaryOp {
                    left: Box::new(left),
                    op: operator.clone(),
                    right: Box::new(right),
                };
                if let Some(balanced) = joined(terms, &join) {
                    *expr = balanced;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _expr: &mut Expr) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

fn chain_length(mut expr: &Expr, operator: &BinaryOperator) -> usize {
    let mut terms = 1;
    while let Expr::BinaryOp { left, op, .. } = expr
        && op == operator
    {
        terms += 1;
        expr = left;
    }
    terms
}

/// The terms of a chain, in order.
fn take_terms(expr: &mut Expr, operator: &BinaryOperator) -> Vec<Expr> {
    let mut terms = Vec::new();
    let mut rest = std::mem::replace(expr, Expr::value(Value::Null));
    loop {
        match rest {
            Expr::BinaryOp { left, op, right } if op == *operator => {
                terms.push(*right);
                rest = *left;
            }
            first => {
                terms.push(first);
                terms.reverse();
                return terms;
            }
        }
    }
}

/// Joins neighbours, then neighbours of what that gave, until one is left.
fn joined<T>(mut terms: Vec<T>, join: &impl Fn(T, T) -> T) -> Option<T> {
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        terms = pairs;
    }
    terms.pop()
}

/// Balances the chains of a plan: rules that take conditions apart put them together as chains.
pub(crate) fn balance_plan(plan: LogicalPlan) -> Result<LogicalPlan> {
    let balance_node = |node: LogicalPlan| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            let balanced = expr.transform_down(balance_chain)?;
            Ok(Transformed::new_transformed(name.restore(balanced.data), balanced.transformed))
        })
    };
    Ok(plan.transform_down(balance_node)?.data)
}

fn balance_chain(expr: logical_expr::Expr) -> Result<Transformed<logical_expr::Expr>> {
    use logical_expr::{BinaryExpr, Expr};
    for operator in [Operator::And, Operator::Or] {
        let (mut terms, mut chain) = (1, &expr);
        while let Expr::BinaryExpr(BinaryExpr { left, op, .. }) = chain
            && *op == operator
        {
            terms += 1;
            chain = left;
        }
        if terms <= TERMS_IN_LINE {
            continue;
        }
        let mut taken = Vec::with_capacity(terms);
        let mut rest = expr;
        while let Expr::BinaryExpr(BinaryExpr { left, op, right }) = rest {
            if op != operator {
                rest = Expr::BinaryExpr(BinaryExpr { left, op, right });
                break;
            }
            taken.push(*right);
            rest = *left;
        }
        taken.push(rest);
        taken.reverse();
        let join = |left, right| Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right)));
        let balanced = joined(taken, &join).expect("a chain has terms");
        return Ok(Transformed::new(balanced, true, TreeNodeRecursion::Continue));
    }
    Ok(Transformed::no(expr))
}
