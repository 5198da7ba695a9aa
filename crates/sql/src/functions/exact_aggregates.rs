//! Aggregates of queries that give what views give. DataFusion's own wrap around, round at each addition of floats, cut
//! digits off averages of decimals, and pass over NaN in the least and greatest floats of groups.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature, StatisticsArgs,
};

use super::exact_total::ExactTotal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Sum,
    Average,
    Extreme,
}

/// SUM, AVG, MIN and MAX.
pub(super) fn functions() -> [AggregateUDF; 4] {
    [
        exact(sum_udaf(), Kind::Sum),
        exact(avg_udaf(), Kind::Average),
        exact(min_udaf(), Kind::Extreme),
        exact(max_udaf(), Kind::Extreme),
    ]
}

fn exact(inner: Arc<AggregateUDF>, kind: Kind) -> AggregateUDF {
    AggregateUDF::new_from_impl(Exact { inner, kind })
}

/// An aggregate that computes some arguments its own way and leaves the rest to DataFusion's.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Exact {
    inner: Arc<AggregateUDF>,
    kind: Kind,
}

impl Exact {
    /// Whether a sum or average of this argument is computed here.
    fn totals(&self, argument: Option<&FieldRef>, is_distinct: bool) -> bool {
        let is_taken = |field: &FieldRef| ExactTotal::takes(field.data_type());
        self.kind != Kind::Extreme && !is_distinct && argument.is_some_and(is_taken)
    }

    fn total(&self, args: &AccumulatorArgs) -> Box<dyn Accumulator> {
        let (argument, result) = (args.expr_fields[0].data_type(), args.return_type());
        Box::new(ExactTotal::new(argument, result, self.kind == Kind::Average))
    }
}

impl AggregateUDFImpl for Exact {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        self.inner.return_field(arguments)
    }

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if self.totals(args.expr_fields.first(), args.is_distinct) {
            return Ok(self.total(&args));
        }
        self.inner.accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if self.totals(args.expr_fields.first(), args.is_distinct) {
            return Ok(self.total(&args));
        }
        self.inner.create_sliding_accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if !self.totals(args.input_fields.first(), args.is_distinct) {
            return self.inner.state_fields(args);
        }
        let field =
            |part: &str, data_type| Arc::new(Field::new(format!("{}[{part}]", args.name), data_type, false));
        Ok(vec![field("count", DataType::Int64), field("total", DataType::Binary)])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        let argument = args.expr_fields.first();
        let is_float = argument.is_some_and(|field| field.data_type().is_floating());
        if self.totals(argument, args.is_distinct) || (self.kind == Kind::Extreme && is_float) {
            return false;
        }
        self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        self.inner.create_groups_accumulator(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn is_descending(&self) -> Option<bool> {
        self.inner.is_descending()
    }

    fn value_from_stats(&self, statistics: &StatisticsArgs) -> Option<ScalarValue> {
        self.inner.value_from_stats(statistics)
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.inner.default_value(data_type)
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.inner.inner().set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
