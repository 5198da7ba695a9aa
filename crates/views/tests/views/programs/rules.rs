//! How often each lowering rule was met.

use std::collections::BTreeMap;
use std::fmt;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use headwater_sql::Program;

const RULES: [&str; 20] = [
    "scan a table",
    "scan a view",
    "select columns",
    "compute columns",
    "WHERE",
    "HAVING",
    "join on one key",
    "join on several keys",
    "join with a residual condition",
    "join of a relation with itself",
    "union",
    "aggregate without keys",
    "group by one key",
    "group by several keys",
    "group without aggregates",
    "count",
    "sum",
    "avg",
    "min and max",
    "linear and extreme aggregates together",
];

#[derive(Default)]
pub struct Hits(BTreeMap<&'static str, usize>);

impl Hits {
    pub fn count(&mut self, program: &Program) {
        for view in program.views.iter().filter(|view| view.materialized) {
            view.plan
                .apply(|node| {
                    self.count_node(program, node);
                    Ok(TreeNodeRecursion::Continue)
                })
                .unwrap();
        }
    }

    fn hit(&mut self, rule: &'static str) {
        assert!(RULES.contains(&rule));
        *self.0.entry(rule).or_default() += 1;
    }

    fn count_node(&mut self, program: &Program, node: &LogicalPlan) {
        match node {
            LogicalPlan::TableScan(scan) => {
                let is_table =
                    program.tables.iter().any(|table| table.name.as_str() == scan.table_name.table());
                self.hit(if is_table { "scan a table" } else { "scan a view" });
            }
            LogicalPlan::Projection(projection) => {
                let only_columns =
                    projection.expr.iter().all(|expr| matches!(expr.clone().unalias(), Expr::Column(_)));
                self.hit(if only_columns { "select columns" } else { "compute columns" });
            }
            LogicalPlan::Filter(filter) => {
                let having = matches!(*filter.input, LogicalPlan::Aggregate(_));
                self.hit(if having { "HAVING" } else { "WHERE" });
            }
            LogicalPlan::Union(_) => self.hit("union"),
            LogicalPlan::Join(join) => {
                self.hit(if join.on.len() == 1 { "join on one key" } else { "join on several keys" });
                if join.filter.is_some() {
                    self.hit("join with a residual condition");
                }
                if scanned(&join.left) == scanned(&join.right) {
                    self.hit("join of a relation with itself");
                }
            }
            LogicalPlan::Aggregate(aggregate) => self.count_aggregate(aggregate),
            _ => {}
        }
    }

    fn count_aggregate(&mut self, aggregate: &datafusion::logical_expr::Aggregate) {
        self.hit(match aggregate.group_expr.len() {
            0 => "aggregate without keys",
            1 => "group by one key",
            _ => "group by several keys",
        });
        if aggregate.aggr_expr.is_empty() {
            self.hit("group without aggregates");
        }
        let names: Vec<String> = aggregate.aggr_expr.iter().map(|expr| expr.to_string()).collect();
        for (start, rule) in [("count(", "count"), ("sum(", "sum"), ("avg(", "avg"), ("m", "min and max")] {
            if names.iter().any(|name| name.starts_with(start)) {
                self.hit(rule);
            }
        }
        let extremes = names.iter().filter(|name| name.starts_with('m')).count();
        if extremes > 0 && extremes < names.len() {
            self.hit("linear and extreme aggregates together");
        }
    }

    pub fn assert_all_hit(&self) {
        for rule in RULES {
            assert!(self.0.contains_key(rule), "no program met the rule: {rule}");
        }
    }
}

fn scanned(plan: &LogicalPlan) -> Vec<String> {
    let mut names = Vec::new();
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            names.push(scan.table_name.table().to_owned());
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    names
}

impl fmt::Display for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        RULES.iter().try_for_each(|rule| writeln!(f, "{:6} {rule}", self.0.get(rule).copied().unwrap_or(0)))
    }
}
