use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::TableReference;
use datafusion::config::ConfigOptions;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};

use crate::column_type::HeadwaterTypes;

/// A relation as the planner sees it.
///
/// Every column may be NULL here, also those declared NOT NULL: an expression over them can fail, and a failed
/// expression is NULL, so no rule may conclude from NOT NULL that a NULL cannot come.
pub(crate) struct RelationSource {
    schema: SchemaRef,
    plan: Option<LogicalPlan>,
}

impl RelationSource {
    /// A relation that is scanned.
    pub(crate) fn stored(schema: &Schema) -> RelationSource {
        RelationSource { schema: nullable(schema), plan: None }
    }

    /// A relation that is expanded in place.
    pub(crate) fn expanded(plan: LogicalPlan) -> RelationSource {
        RelationSource { schema: nullable(plan.schema().as_arrow()), plan: Some(plan) }
    }
}

impl TableSource for RelationSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn get_logical_plan(&'_ self) -> Option<Cow<'_, LogicalPlan>> {
        self.plan.as_ref().map(Cow::Borrowed)
    }
}

/// The same columns, each of which may be NULL.
pub(crate) fn nullable(schema: &Schema) -> SchemaRef {
    let field = |field: &Arc<Field>| Field::new(field.name(), field.data_type().clone(), true);
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// A name that no relation has.
#[derive(Debug, thiserror::Error)]
#[error("unknown relation {name:?}")]
pub(crate) struct UnknownRelation {
    pub(crate) name: String,
}

/// The names that a statement may use.
pub(crate) struct Catalog<'a> {
    pub(crate) state: &'a SessionState,
    pub(crate) relations: BTreeMap<String, Arc<dyn TableSource>>,
}

impl ContextProvider for Catalog<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        let found = match &name {
            TableReference::Bare { table } => self.relations.get(table.as_ref()),
            _ => None,
        };
        found
            .cloned()
            .ok_or_else(|| DataFusionError::External(Box::new(UnknownRelation { name: name.to_string() })))
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> Result<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(HeadwaterTypes))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
