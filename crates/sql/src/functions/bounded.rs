use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use crate::bounds::{TEXT_BATCH_BYTES_MAX, TEXT_RESULT_BYTES_MAX};

/// How the cost of a call follows from its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Growth {
    /// `repeat(text, count)`
    Repeat,
    /// `lpad(text, length, fill)`, `rpad(…)`: up to four bytes per character
    Pad,
    /// `replace(text, from, to)`
    Replace,
    /// `regexp_replace(text, pattern, to, …)`: every position may match
    ReplacePattern,
    /// `levenshtein(a, b)`: its work, not its result, is the product of the lengths
    Product,
}

const BOUNDED: [(&str, Growth); 6] = [
    ("repeat", Growth::Repeat),
    ("lpad", Growth::Pad),
    ("rpad", Growth::Pad),
    ("replace", Growth::Replace),
    ("regexp_replace", Growth::ReplacePattern),
    ("levenshtein", Growth::Product),
];

/// The functions of a session that need a bound, with it.
pub(super) fn functions(state: &SessionState) -> Vec<ScalarUDF> {
    let bounded = |(name, growth): (&str, Growth)| {
        let inner = Arc::clone(state.scalar_functions().get(name)?);
        Some(ScalarUDF::new_from_impl(Bounded { inner, growth }))
    };
    BOUNDED.into_iter().filter_map(bounded).collect()
}

/// A function that fails instead of making a text that no row should hold.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
}

impl ScalarUDFImpl for Bounded {
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

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut arguments = arguments;
        if self.growth == Growth::Pad
            && let Some(length) = arguments.args.get_mut(1)
        {
            clamp_at_zero(length);
        }
        self.check(&ColumnarValue::values_to_arrays(&arguments.args)?)?;
        self.inner.invoke_with_args(arguments)
    }
}

/// A text padded to a negative length is empty, as in PostgreSQL; the function itself panics on it.
fn clamp_at_zero(length: &mut ColumnarValue) {
    match length {
        ColumnarValue::Scalar(ScalarValue::Int64(Some(value))) => *value = (*value).max(0),
        ColumnarValue::Array(values) => {
            if let Some(numbers) = values.as_primitive_opt::<Int64Type>() {
                *values = Arc::new(numbers.unary::<_, Int64Type>(|value| value.max(0)));
            }
        }
        ColumnarValue::Scalar(_) => {}
    }
}

impl Bounded {
    fn check(&self, arguments: &[Arc<dyn Array>]) -> Result<()> {
        let rows = arguments.first().map_or(0, |array| array.len());
        let cost = self.growth.cost(arguments)?;
        let mut total = 0usize;
        for row in 0..rows {
            let bytes = cost(row);
            if bytes > TEXT_RESULT_BYTES_MAX {
                return exec_err!("{} works on at most {TEXT_RESULT_BYTES_MAX} bytes", self.inner.name());
            }
            total += bytes;
            if total > TEXT_BATCH_BYTES_MAX {
                return exec_err!("{} makes at most {TEXT_BATCH_BYTES_MAX} bytes at once", self.inner.name());
            }
        }
        Ok(())
    }
}

impl Growth {
    /// The bytes that one row's call costs, never less than it really takes.
    fn cost(self, arguments: &[Arc<dyn Array>]) -> Result<Box<dyn Fn(usize) -> usize>> {
        let texts = |index: usize| match arguments.get(index) {
            Some(array) => Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone()),
            None => Ok::<_, datafusion::error::DataFusionError>(StringArray::new_null(0)),
        };
        let numbers = |index: usize| -> Result<_> {
            Ok(cast(&arguments[index], &DataType::Int64)?.as_primitive::<Int64Type>().clone())
        };
        Ok(match self {
            Growth::Repeat => {
                let (text, count) = (texts(0)?, numbers(1)?);
                Box::new(move |row| bytes(&text, row).saturating_mul(non_negative(count.value(row))))
            }
            Growth::Pad => {
                let length = numbers(1)?;
                Box::new(move |row| non_negative(length.value(row)).saturating_mul(4))
            }
            Growth::Replace => {
                let (text, from, to) = (texts(0)?, texts(1)?, texts(2)?);
                Box::new(move |row| {
                    let found = (bytes(&text, row) + 1) / bytes(&from, row).max(1);
                    found.saturating_mul(bytes(&to, row)).saturating_add(bytes(&text, row))
                })
            }
            Growth::ReplacePattern => {
                let (text, to) = (texts(0)?, texts(2)?);
                Box::new(move |row| (bytes(&text, row) + 1).saturating_mul(bytes(&to, row) + 1))
            }
            Growth::Product => {
                let (a, b) = (texts(0)?, texts(1)?);
                Box::new(move |row| bytes(&a, row).saturating_mul(bytes(&b, row)))
            }
        })
    }
}

fn bytes(texts: &StringArray, row: usize) -> usize {
    if row < texts.len() && texts.is_valid(row) { texts.value(row).len() } else { 0 }
}

fn non_negative(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}
