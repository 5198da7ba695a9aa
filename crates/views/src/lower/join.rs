use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::{Expr, Join as JoinPlan, LogicalPlan};

use super::{Piped, ViewLowering, row_schema};
use crate::chain::Stage;
use crate::circuit::BuildError;
use crate::dataflow::{Index, Join, Node};

impl ViewLowering<'_> {
    pub(super) fn join(&mut self, join: &JoinPlan) -> Result<Piped, BuildError> {
        if join.join_type != JoinType::Inner {
            return Err(self.unsupported(format!("a {} join", join.join_type)));
        }
        if join.null_equality != NullEquality::NullEqualsNothing {
            return Err(self.unsupported("a join on which NULL equals NULL".into()));
        }
        let (left, left_columns) = self.join_side(&join.left, join.on.iter().map(|(left, _)| left))?;
        let (right, right_columns) = self.join_side(&join.right, join.on.iter().map(|(_, right)| right))?;
        self.check_key_types(join)?;
        let (left_types, right_types) = (left.types(), right.types());
        let kept_left = left_types.len() - join.on.len();
        let shifted = |column: usize| if column < join.on.len() { column } else { column + kept_left };
        let types = left_types.into_iter().chain(right_types.into_iter().skip(join.on.len())).collect();
        let columns = left_columns.iter().copied().chain(right_columns.into_iter().map(shifted)).collect();
        let schema = row_schema(&join.schema);
        let left = self.lowering.dataflow.add(Node::Index(left));
        let right = self.lowering.dataflow.add(Node::Index(right));
        let mut piped = self.piped(Node::Join(Join { left, right, types, columns, schema }));
        if let Some(filter) = &join.filter {
            piped.chain.push(Stage::Filter(self.expression(filter, &join.schema, "ON")?));
        }
        Ok(piped)
    }

    /// One side, and where each of its input's columns is found in what it gives. Columns that are keys are not
    /// kept twice: both sides have the same bytes there.
    fn join_side<'e>(
        &mut self,
        input: &LogicalPlan,
        keys: impl Iterator<Item = &'e Expr>,
    ) -> Result<(Index, Vec<usize>), BuildError> {
        let Piped { node, mut chain } = self.plan(input)?;
        let mut given: Vec<Expr> = keys.cloned().collect();
        let keys = given.len();
        let mut columns = Vec::new();
        for column in input.schema().columns().into_iter().map(Expr::Column) {
            let known = given[..keys].iter().position(|key| *key == column);
            columns.push(known.unwrap_or(given.len()));
            if known.is_none() {
                given.push(column);
            }
        }
        chain.push(self.project(given.iter().map(|expr| (expr, "ON")), input.schema(), None)?);
        chain.push(Stage::DropNulls { columns: keys });
        Ok((Index { input: node, chain, keys }, columns))
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
