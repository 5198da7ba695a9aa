use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::{Expr, Join as JoinPlan, LogicalPlan};

use super::{Piped, ViewLowering, row_schema};
use crate::chain::Stage;
use crate::circuit::BuildError;
use crate::dataflow::{Join, JoinSide, Node};

impl ViewLowering<'_> {
    pub(super) fn join(&mut self, join: &JoinPlan) -> Result<Piped, BuildError> {
        if join.join_type != JoinType::Inner {
            return Err(self.unsupported(format!("a {} join", join.join_type)));
        }
        if join.null_equality != NullEquality::NullEqualsNothing {
            return Err(self.unsupported("a join on which NULL equals NULL".into()));
        }
        let left = self.join_side(&join.left, join.on.iter().map(|(left, _)| left))?;
        let right = self.join_side(&join.right, join.on.iter().map(|(_, right)| right))?;
        self.check_key_types(join)?;
        let mut piped = self.piped(Node::Join(Join { left, right, schema: row_schema(&join.schema) }));
        if let Some(filter) = &join.filter {
            piped.chain.push(Stage::Filter(self.expression(filter, &join.schema, "ON")?));
        }
        Ok(piped)
    }

    fn join_side<'e>(
        &mut self,
        input: &LogicalPlan,
        keys: impl Iterator<Item = &'e Expr>,
    ) -> Result<JoinSide, BuildError> {
        let Piped { node, mut chain } = self.plan(input)?;
        let keys: Vec<&Expr> = keys.collect();
        let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        let expressions = keys.iter().copied().chain(&columns).map(|expr| (expr, "ON"));
        chain.push(self.project(expressions, input.schema(), None)?);
        chain.push(Stage::DropNulls { columns: keys.len() });
        Ok(JoinSide { input: node, chain, keys: keys.len() })
    }

    /// Keys are compared as bytes, so both sides must have one type.
    fn check_key_types(&self, join: &JoinPlan) -> Result<(), BuildError> {
        for (left, right) in &join.on {
            let left_type = self.expression(left, join.left.schema(), "ON")?.data_type().clone();
            let right_type = self.expression(right, join.right.schema(), "ON")?.data_type().clone();
            if left_type != right_type {
                return Err(self.unsupported(format!("a join of {left_type} with {right_type}")));
            }
        }
        Ok(())
    }
}
