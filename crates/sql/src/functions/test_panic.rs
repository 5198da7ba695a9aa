use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The function's name.
pub(crate) const NAME: &str = "hw_test_panic";
/// The value on which it panics.
const PANICS_ON: i64 = 666;

/// `hw_test_panic(x BIGINT)`: gives `x`, panics on 666.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(TestPanic {
        signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TestPanic {
    signature: Signature,
}

impl ScalarUDFImpl for TestPanic {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let values = arrays[0].as_primitive::<Int64Type>();
        assert!(!values.iter().flatten().any(|value| value == PANICS_ON), "{NAME} met {PANICS_ON}");
        Ok(ColumnarValue::Array(arrays[0].clone()))
    }
}
