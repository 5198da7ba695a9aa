use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, Projection, TableScan};
use headwater_types::Name;

use super::{Piped, ViewLowering, row_schema};
use crate::chain::{Chain, Stage};
use crate::circuit::BuildError;
use crate::dataflow::Node;
use crate::expression::Expression;

impl ViewLowering<'_> {
    pub(super) fn projection(&mut self, projection: &Projection) -> Result<Piped, BuildError> {
        let mut piped = self.plan(&projection.input)?;
        let names = projection.schema.fields().iter().map(|field| field.name().as_str());
        let named = projection.expr.iter().zip(names);
        let stage = self.project(named, projection.input.schema(), Some(&projection.schema))?;
        piped.chain.push(stage);
        Ok(piped)
    }

    pub(super) fn filter(&mut self, filter: &Filter) -> Result<Piped, BuildError> {
        let mut piped = self.plan(&filter.input)?;
        let clause = if matches!(*filter.input, LogicalPlan::Aggregate(_)) { "HAVING" } else { "WHERE" };
        let predicate = self.expression(&filter.predicate, filter.input.schema(), clause)?;
        piped.chain.push(Stage::Filter(predicate));
        Ok(piped)
    }

    pub(super) fn scan(&mut self, scan: &TableScan) -> Result<Piped, BuildError> {
        if scan.fetch.is_some() || !scan.filters.is_empty() {
            return Err(self.unsupported("a scan that filters or limits".into()));
        }
        let name = scan.table_name.table();
        let node = match self.lowering.relations.get(name) {
            Some(node) => *node,
            None => {
                let relation = Name::system(name).map_err(|error| self.unsupported(error.to_string()))?;
                let node = self.lowering.dataflow.add(Node::Source { relation });
                self.lowering.relations.insert(name.to_owned(), node);
                node
            }
        };
        let mut chain = Chain::default();
        if let Some(columns) = &scan.projection {
            let schema = row_schema(&scan.projected_schema);
            chain.push(Stage::Select { columns: columns.clone(), schema });
        }
        Ok(Piped { node, chain })
    }

    /// A stage that computes these expressions, each with the name it is reported by. The columns are called
    /// as in `output`, or `c0`, `c1`, ….
    pub(super) fn project<'e>(
        &self,
        expressions: impl Iterator<Item = (&'e Expr, &'e str)>,
        input: &DFSchema,
        output: Option<&DFSchema>,
    ) -> Result<Stage, BuildError> {
        let expressions = expressions
            .map(|(expr, name)| self.expression(expr, input, name))
            .collect::<Result<Vec<_>, _>>()?;
        let schema = match output {
            Some(output) => row_schema(output),
            None => positional_schema(&expressions),
        };
        for (expression, field) in expressions.iter().zip(schema.fields()) {
            if expression.data_type() != field.data_type() {
                let (found, planned) = (expression.data_type(), field.data_type());
                return Err(self.unsupported(format!("{}: a {found} planned as {planned}", field.name())));
            }
        }
        Ok(match expressions.iter().map(Expression::column).collect::<Option<Vec<_>>>() {
            Some(columns) => Stage::Select { columns, schema },
            None => Stage::Project { expressions, schema },
        })
    }
}

fn positional_schema(expressions: &[Expression]) -> Arc<Schema> {
    let field = |(position, expression): (usize, &Expression)| {
        arrow::datatypes::Field::new(format!("c{position}"), expression.data_type().clone(), true)
    };
    Arc::new(Schema::new(expressions.iter().enumerate().map(field).collect::<Vec<_>>()))
}
