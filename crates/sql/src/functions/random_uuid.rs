use std::sync::Arc;

use arrow::array::{AsArray, FixedSizeBinaryArray};
use arrow::datatypes::DataType;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::functions::string;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use headwater_types::ColumnType;
use headwater_types::text::uuid;

/// `uuid()` and `gen_random_uuid()`: a random UUID for each row, of version 4.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(RandomUuid {
        texts: string::uuid(),
        aliases: ["gen_random_uuid".to_owned()],
        signature: Signature::nullary(Volatility::Volatile),
    })
}

/// DataFusion's own gives texts.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RandomUuid {
    texts: Arc<ScalarUDF>,
    aliases: [String; 1],
    signature: Signature,
}

impl ScalarUDFImpl for RandomUuid {
    fn name(&self) -> &str {
        "uuid"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(ColumnType::Uuid.arrow())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let texts = self.texts.invoke_with_args(arguments)?.into_array(rows)?;
        let read = |text: Option<&str>| text.and_then(|text| uuid::read(text.as_bytes()));
        let uuids: Option<Vec<_>> = texts.as_string::<i32>().iter().map(read).collect();
        let uuids = uuids.ok_or_else(|| exec_datafusion_err!("a random UUID cannot be read"))?;
        let uuids = uuids.into_iter().map(Some);
        let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, uuid::BYTES as i32)?;
        Ok(ColumnarValue::Array(Arc::new(array)))
    }
}
