//! DataFusion's plans to nodes. All that can be refused is refused here, before a dataflow is started.

/// GROUP BY and its aggregates.
mod aggregate;
/// Inner joins.
mod join;
/// Projections, filters and scans: the stages of a chain.
mod stateless;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use headwater_sql::ViewDefinition;
use headwater_types::Name;

use crate::chain::Chain;
use crate::circuit::BuildError;
use crate::dataflow::{Dataflow, Node, NodeId, View};
use crate::expression::Expression;
use crate::expression::errors::Site;

/// Lowers these views, each after those of them that it reads. All else that they read are sources to them.
pub(crate) fn lower(views: &[&ViewDefinition]) -> Result<Dataflow, BuildError> {
    let mut lowering = Lowering { dataflow: Dataflow::default(), relations: HashMap::new() };
    for view in views {
        lowering.view(view)?;
    }
    Ok(lowering.dataflow)
}

struct Lowering {
    dataflow: Dataflow,
    /// The nodes of sources and of lowered views, by name.
    relations: HashMap<String, NodeId>,
}

/// A node and the stages on top of it that have no node yet.
struct Piped {
    node: NodeId,
    chain: Chain,
}

/// The lowering of one view.
struct ViewLowering<'a> {
    lowering: &'a mut Lowering,
    view: &'a Name,
}

impl Lowering {
    fn view(&mut self, view: &ViewDefinition) -> Result<(), BuildError> {
        let schema = crate::circuit::view_schema(view);
        let mut lowering = ViewLowering { lowering: self, view: &view.name };
        lowering.check_types(view.plan.schema(), &schema)?;
        let piped = lowering.plan(&view.plan)?;
        let node = lowering.node(piped);
        self.relations.insert(view.name.as_str().to_owned(), node);
        self.dataflow.views.push(View { name: view.name.clone(), node, schema });
        Ok(())
    }
}

impl ViewLowering<'_> {
    /// Lowers a plan, whatever its node.
    fn plan(&mut self, plan: &LogicalPlan) -> Result<Piped, BuildError> {
        match plan {
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::SubqueryAlias(alias) => self.plan(&alias.input),
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            other => Err(self.unsupported(other.display().to_string())),
        }
    }

    fn union(&mut self, union: &datafusion::logical_expr::Union) -> Result<Piped, BuildError> {
        let schema = row_schema(&union.schema);
        let mut inputs = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            self.check_types(input.schema(), &schema)?;
            let piped = self.plan(input)?;
            inputs.push(self.node(piped));
        }
        Ok(self.piped(Node::Union { inputs, schema }))
    }

    /// The node that gives all of the piped rows.
    fn node(&mut self, piped: Piped) -> NodeId {
        if piped.chain.is_empty() {
            return piped.node;
        }
        self.lowering.dataflow.add(Node::Chain { input: piped.node, chain: piped.chain })
    }

    fn piped(&mut self, node: Node) -> Piped {
        Piped { node: self.lowering.dataflow.add(node), chain: Chain::default() }
    }

    fn expression(
        &self,
        expression: &datafusion::logical_expr::Expr,
        schema: &DFSchema,
        column: &str,
    ) -> Result<Expression, BuildError> {
        let site = Site { view: self.view.clone(), column: Arc::from(column) };
        let nullable = nullable(schema).map_err(|source| self.failed(source))?;
        Expression::plan(expression, &nullable, site).map_err(|source| self.failed(source))
    }

    /// Rows of `found` must have the column types of `wanted`.
    fn check_types(&self, found: &DFSchema, wanted: &Schema) -> Result<(), BuildError> {
        let types =
            |schema: &Schema| schema.fields().iter().map(|f| f.data_type().clone()).collect::<Vec<_>>();
        let (found, wanted) = (types(found.as_arrow()), types(wanted));
        if found == wanted {
            return Ok(());
        }
        Err(self.unsupported(format!("rows of types {found:?} where {wanted:?} are expected")))
    }

    fn failed(&self, source: DataFusionError) -> BuildError {
        BuildError::Expression { view: self.view.clone(), source }
    }

    fn unsupported(&self, what: String) -> BuildError {
        BuildError::Unsupported { view: self.view.clone(), what }
    }
}

/// The schema of rows between operators. Every column may be NULL, as an expression that fails gives NULL.
fn row_schema(schema: &DFSchema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn nullable(schema: &DFSchema) -> datafusion::error::Result<DFSchema> {
    let fields = schema
        .iter()
        .map(|(qualifier, field)| (qualifier.cloned(), Arc::new(field.as_ref().clone().with_nullable(true))));
    DFSchema::new_with_metadata(fields.collect(), schema.metadata().clone())
}
