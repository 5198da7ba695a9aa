use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use headwater_types::TimestampMicros;

const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// `now()`, `current_date()` and `current_time()` with all their other names.
pub(super) fn functions(now: TimestampMicros) -> [ScalarUDF; 3] {
    let days = i32::try_from(now.0.div_euclid(DAY_MICROS)).ok();
    let time = now.0.rem_euclid(DAY_MICROS) * 1_000;
    let function = |name, aliases: &[&str], value| {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        ScalarUDF::new_from_impl(Clock {
            name,
            aliases,
            value,
            signature: Signature::nullary(Volatility::Stable),
        })
    };
    [
        function("now", &["current_timestamp"], ScalarValue::TimestampMicrosecond(Some(now.0), None)),
        function("current_date", &["today"], ScalarValue::Date32(days)),
        function("current_time", &[], ScalarValue::Time64Nanosecond(Some(time))),
    ]
}

/// A function without arguments that gives one value.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Clock {
    name: &'static str,
    aliases: Vec<String>,
    value: ScalarValue,
    signature: Signature,
}

impl ScalarUDFImpl for Clock {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }
}
