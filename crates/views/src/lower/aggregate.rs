use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate as AggregatePlan, Cast, Expr, ExprSchemable};

use super::{Piped, ViewLowering, row_schema};
use crate::accumulator::{Argument, LinearAggregates, LinearFunction, LinearResult, ResultType};
use crate::circuit::BuildError;
use crate::dataflow::{Aggregate, AggregateOutput, Extreme, Node};
use crate::expression::errors::{Site, Sites};

/// Arguments and results as they are gathered from the plan's aggregates.
#[derive(Default)]
struct Gathered {
    linear_arguments: Vec<(Expr, String, Argument)>,
    linear: Vec<LinearResult>,
    extreme_arguments: Vec<(Expr, String)>,
    extremes: Vec<Extreme>,
    outputs: Vec<AggregateOutput>,
}

impl ViewLowering<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &AggregatePlan) -> Result<Piped, BuildError> {
        let Piped { node: input, mut chain } = self.plan(&aggregate.input)?;
        let input_schema = aggregate.input.schema();
        if aggregate.group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_))) {
            return Err(self.unsupported("GROUPING SETS, ROLLUP or CUBE".into()));
        }
        let keys = aggregate.group_expr.len();
        let schema = row_schema(&aggregate.schema);
        let mut gathered = Gathered::default();
        for (expr, field) in aggregate.aggr_expr.iter().zip(&schema.fields()[keys..]) {
            self.gather(&mut gathered, expr, field.name(), field.data_type(), input_schema)?;
        }
        let groups =
            aggregate.group_expr.iter().zip(schema.fields().iter().map(|field| field.name().as_str()));
        let linear = gathered.linear_arguments.iter().map(|(expr, name, _)| (expr, name.as_str()));
        let extremes = gathered.extreme_arguments.iter().map(|(expr, name)| (expr, name.as_str()));
        chain.push(self.project(groups.chain(linear).chain(extremes), input_schema, None)?);
        let arguments = gathered.linear_arguments.iter().map(|(_, _, argument)| *argument).collect();
        Ok(self.piped(Node::Aggregate(Aggregate {
            input,
            chain,
            keys,
            linear: LinearAggregates { arguments, results: gathered.linear },
            extremes: gathered.extremes,
            outputs: gathered.outputs,
            schema,
        })))
    }

    fn gather(
        &self,
        gathered: &mut Gathered,
        expr: &Expr,
        name: &str,
        result: &DataType,
        input: &DFSchema,
    ) -> Result<(), BuildError> {
        let Expr::AggregateFunction(call) = expr.clone().unalias_nested().data else {
            return Err(self.unsupported(format!("the aggregate {expr}")));
        };
        let argument = self.only_argument(&call)?;
        let output = match call.func.name() {
            "min" => gathered.extreme(argument, name, Extreme::Least),
            "max" => gathered.extreme(argument, name, Extreme::Greatest),
            "count" | "sum" | "avg" => {
                let site = Site { view: self.view.clone(), column: Arc::from(name) };
                let function = self.linear_function(gathered, call.func.name(), argument, name, input)?;
                let result_type = ResultType::of(result)
                    .ok_or_else(|| self.unsupported(format!("{} of type {result}", call.func.name())))?;
                gathered.linear.push(LinearResult { function, result_type, sites: Sites::one(site) });
                AggregateOutput::Linear(gathered.linear.len() - 1)
            }
            other => return Err(self.unsupported(format!("the aggregate {other}"))),
        };
        gathered.outputs.push(output);
        Ok(())
    }

    fn only_argument(&self, call: &AggregateFunction) -> Result<Expr, BuildError> {
        let (name, params) = (call.func.name(), &call.params);
        if params.distinct {
            return Err(self.unsupported(format!("{name} with DISTINCT")));
        }
        if params.filter.is_some() || !params.order_by.is_empty() || params.null_treatment.is_some() {
            return Err(self.unsupported(format!("{name} with FILTER, ORDER BY or null treatment")));
        }
        match params.args.as_slice() {
            [argument] => Ok(argument.clone()),
            _ => Err(self.unsupported(format!("{name} of several arguments"))),
        }
    }

    fn linear_function(
        &self,
        gathered: &mut Gathered,
        function: &str,
        argument: Expr,
        name: &str,
        input: &DFSchema,
    ) -> Result<LinearFunction, BuildError> {
        let data_type = |expr: &Expr| expr.get_type(input).map_err(|source| self.failed(source));
        if function == "count" {
            if matches!(&argument, Expr::Literal(value, _) if !value.is_null()) {
                return Ok(LinearFunction::CountRows);
            }
            return Ok(LinearFunction::Count {
                argument: gathered.argument(argument, name, Argument::Presence),
            });
        }
        let (argument, average) = match function {
            "avg" => (exact_average_argument(argument, input), true),
            _ => (argument, false),
        };
        let argument_type = data_type(&argument)?;
        let kind = Argument::summed(&argument_type)
            .ok_or_else(|| self.unsupported(format!("{function} of {argument_type}")))?;
        let argument = gathered.argument(argument, name, kind);
        Ok(if average { LinearFunction::Average { argument } } else { LinearFunction::Sum { argument } })
    }
}

impl Gathered {
    fn extreme(&mut self, argument: Expr, name: &str, extreme: Extreme) -> AggregateOutput {
        let same = |((known, _), kind): (&(Expr, String), &Extreme)| *known == argument && *kind == extreme;
        let position = self.extreme_arguments.iter().zip(&self.extremes).position(same);
        AggregateOutput::Extreme(position.unwrap_or_else(|| {
            self.extreme_arguments.push((argument, name.to_owned()));
            self.extremes.push(extreme);
            self.extremes.len() - 1
        }))
    }

    /// The position of a linear argument. Aggregates of the same argument share it.
    fn argument(&mut self, argument: Expr, name: &str, kind: Argument) -> usize {
        let same = |(known, _, _): &(Expr, String, Argument)| *known == argument;
        match self.linear_arguments.iter().position(same) {
            Some(position) => {
                let known = &mut self.linear_arguments[position].2;
                if *known == Argument::Presence {
                    *known = kind;
                }
                position
            }
            None => {
                self.linear_arguments.push((argument, name.to_owned(), kind));
                self.linear_arguments.len() - 1
            }
        }
    }
}

/// The argument of AVG without the cast of an integer to a float: the integers' sum and quotient are exact.
fn exact_average_argument(argument: Expr, input: &DFSchema) -> Expr {
    if let Expr::Cast(Cast { expr, field }) = &argument
        && field.data_type() == &DataType::Float64
        && expr.get_type(input).is_ok_and(|data_type| Argument::summed(&data_type) == Some(Argument::Integer))
    {
        return expr.as_ref().clone();
    }
    argument
}
