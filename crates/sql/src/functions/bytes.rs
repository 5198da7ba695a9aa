use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int32Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::execution::context::SessionState;
use datafusion::functions::{string, unicode};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use headwater_types::text::hex;

use crate::conversions::{is_binary, is_uuid};

/// What a function of texts does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum OnBytes {
    /// `length(bytes)`, `octet_length(bytes)`, in bytes
    Length,
    /// `bit_length(bytes)`
    BitLength,
    /// `substr(bytes, from)`, `substr(bytes, from, count)`; the first byte is 1
    Part,
    /// `left(bytes, count)`; a negative count leaves out as many at the end
    Left,
    /// `right(bytes, count)`; a negative count leaves out as many at the start
    Right,
    /// `strpos(bytes, searched)`; 0 if it is nowhere
    Position,
    /// `to_hex(bytes)`
    Hex,
}

/// The functions of texts that also take bytes.
static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let functions = [
        (unicode::character_length(), OnBytes::Length),
        (string::octet_length(), OnBytes::Length),
        (string::bit_length(), OnBytes::BitLength),
        (unicode::substr(), OnBytes::Part),
        (unicode::left(), OnBytes::Left),
        (unicode::right(), OnBytes::Right),
        (unicode::strpos(), OnBytes::Position),
        (string::to_hex(), OnBytes::Hex),
    ];
    let signature = || Signature::user_defined(Volatility::Immutable);
    let wrap =
        |(inner, on_bytes)| ScalarUDF::new_from_impl(TextOrBytes { inner, on_bytes, signature: signature() });
    functions.into_iter().map(wrap).map(Arc::new).collect()
});

/// Makes a session's functions take bytes too.
pub(super) fn register(state: &mut SessionState) -> Result<()> {
    use datafusion::logical_expr::registry::FunctionRegistry;
    for function in FUNCTIONS.iter() {
        state.register_udf(Arc::clone(function))?;
    }
    state.register_udf(Arc::new(ScalarUDF::new_from_impl(BytesToText(Signature::exact(
        vec![DataType::Binary],
        Volatility::Immutable,
    )))))?;
    Ok(())
}

/// A call of the function of this name.
pub(crate) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let function = FUNCTIONS.iter().find(|function| function.name() == name);
    let function = Arc::clone(function.expect("the function is in the list above"));
    Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))
}

/// A function of texts that does the like with bytes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TextOrBytes {
    inner: Arc<ScalarUDF>,
    on_bytes: OnBytes,
    signature: Signature,
}

impl TextOrBytes {
    /// Whether a call with arguments of these types is one on bytes.
    fn takes(&self, types: &[DataType]) -> bool {
        types.first().is_some_and(is_binary) && !types.iter().any(is_uuid)
    }
}

impl ScalarUDFImpl for TextOrBytes {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        if self.takes(types) { Ok(self.on_bytes.result()) } else { self.inner.return_type(types) }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> =
            arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        if self.takes(&types) {
            return Ok(Arc::new(Field::new(self.name(), self.on_bytes.result(), true)));
        }
        self.inner.return_field_from_args(arguments)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if self.takes(types) {
            return match self.on_bytes.arguments(types.len()) {
                Some(arguments) => Ok(arguments),
                None => plan_err!("{} of a VARBINARY takes another number of arguments", self.name()),
            };
        }
        let field = |data_type: &DataType| Arc::new(Field::new("", data_type.clone(), true));
        let fields: Vec<FieldRef> = types.iter().map(field).collect();
        let coerced = fields_with_udf(&fields, self.inner.as_ref())?;
        Ok(coerced.iter().map(|field| field.data_type().clone()).collect())
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<DataType> = arguments.args.iter().map(ColumnarValue::data_type).collect();
        if self.takes(&types) {
            return on_arrays(&arguments, |arrays| self.on_bytes.apply(arrays));
        }
        self.inner.invoke_with_args(arguments)
    }
}

/// Applies a function of arrays; constants give a constant.
fn on_arrays(
    arguments: &ScalarFunctionArgs,
    apply: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let is_constant = arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
    let result = apply(&ColumnarValue::values_to_arrays(&arguments.args)?)?;
    if is_constant {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
    }
    Ok(ColumnarValue::Array(result))
}

impl OnBytes {
    fn result(self) -> DataType {
        match self {
            OnBytes::Length | OnBytes::BitLength | OnBytes::Position => DataType::Int32,
            OnBytes::Part | OnBytes::Left | OnBytes::Right => DataType::Binary,
            OnBytes::Hex => DataType::Utf8,
        }
    }

    /// The types of this many arguments.
    fn arguments(self, count: usize) -> Option<Vec<DataType>> {
        use DataType::{Binary, Int64};
        match (self, count) {
            (OnBytes::Length | OnBytes::BitLength | OnBytes::Hex, 1) => Some(vec![Binary]),
            (OnBytes::Part | OnBytes::Left | OnBytes::Right, 2) => Some(vec![Binary, Int64]),
            (OnBytes::Part, 3) => Some(vec![Binary, Int64, Int64]),
            (OnBytes::Position, 2) => Some(vec![Binary, Binary]),
            _ => None,
        }
    }

    fn apply(self, arrays: &[ArrayRef]) -> Result<ArrayRef> {
        let bytes = cast(&arrays[0], &DataType::Binary)?;
        let bytes = bytes.as_binary::<i32>();
        let count = |index: usize| arrays[index].as_primitive::<Int64Type>();
        Ok(match self {
            OnBytes::Length => Arc::new(
                bytes.iter().map(|bytes| bytes.map(|bytes| bytes.len() as i32)).collect::<Int32Array>(),
            ),
            OnBytes::BitLength => {
                let bits = |bytes: &[u8]| i32::try_from(bytes.len().saturating_mul(8)).unwrap_or(i32::MAX);
                Arc::new(bytes.iter().map(|bytes| bytes.map(bits)).collect::<Int32Array>())
            }
            OnBytes::Part => part(bytes, count(1), arrays.get(2).map(|_| count(2)))?,
            OnBytes::Left => side(bytes, count(1), |bytes, end| &bytes[..end]),
            OnBytes::Right => side(bytes, count(1), |bytes, end| &bytes[bytes.len() - end..]),
            OnBytes::Position => {
                let searched = cast(&arrays[1], &DataType::Binary)?;
                let pairs = bytes.iter().zip(searched.as_binary::<i32>());
                let place =
                    |(bytes, searched): (Option<&[u8]>, Option<&[u8]>)| Some(position(bytes?, searched?));
                Arc::new(pairs.map(place).collect::<Int32Array>())
            }
            OnBytes::Hex => Arc::new(bytes.iter().map(|bytes| bytes.map(to_hex)).collect::<StringArray>()),
        })
    }
}

fn part(bytes: &BinaryArray, from: &Int64Array, count: Option<&Int64Array>) -> Result<ArrayRef> {
    let mut parts = Vec::with_capacity(bytes.len());
    for row in 0..bytes.len() {
        if bytes.is_null(row) || from.is_null(row) || count.is_some_and(|count| count.is_null(row)) {
            parts.push(None);
            continue;
        }
        let (bytes, start) = (bytes.value(row), from.value(row).saturating_sub(1));
        let end = match count.map(|count| count.value(row)) {
            None => i64::MAX,
            Some(count) if count < 0 => return plan_err!("a part of negative length does not exist"),
            Some(count) => start.saturating_add(count),
        };
        let place = |place: i64| usize::try_from(place.max(0)).unwrap_or(usize::MAX).min(bytes.len());
        parts.push(Some(&bytes[place(start)..place(end).max(place(start))]));
    }
    Ok(Arc::new(BinaryArray::from_iter(parts)))
}

/// So many bytes of one side; a negative count leaves out as many of the other.
fn side<'a>(
    bytes: &'a BinaryArray,
    counts: &Int64Array,
    take: impl Fn(&'a [u8], usize) -> &'a [u8],
) -> ArrayRef {
    let side = |(bytes, count): (Option<&'a [u8]>, Option<i64>)| {
        let (bytes, count) = (bytes?, count?);
        let length = bytes.len() as i64;
        let end = if count < 0 { length.saturating_add(count).max(0) } else { count.min(length) };
        Some(take(bytes, end as usize))
    };
    Arc::new(bytes.iter().zip(counts).map(side).collect::<BinaryArray>())
}

/// The place of the first occurrence, counted from one.
fn position(bytes: &[u8], searched: &[u8]) -> i32 {
    if searched.is_empty() {
        return 1;
    }
    let found = bytes.windows(searched.len()).position(|window| window == searched);
    found.map_or(0, |place| place as i32 + 1)
}

fn to_hex(bytes: &[u8]) -> String {
    let mut digits = Vec::with_capacity(2 * bytes.len());
    hex::write(bytes, &mut digits);
    String::from_utf8(digits).expect("hexadecimal digits are ASCII")
}

/// `bin2utf8(bytes)`: the text that bytes are in UTF-8, NULL if they are none.
#[derive(Debug, PartialEq, Eq, Hash)]
struct BytesToText(Signature);

impl ScalarUDFImpl for BytesToText {
    fn name(&self) -> &str {
        "bin2utf8"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        on_arrays(&arguments, |arrays| {
            let bytes = arrays[0].as_binary::<i32>();
            let text =
                |bytes: Option<&[u8]>| bytes.and_then(|bytes| str::from_utf8(bytes).ok()).map(str::to_owned);
            Ok(Arc::new(bytes.iter().map(text).collect::<StringArray>()))
        })
    }
}
