//! Values and types of the oracle, with nothing of Arrow or DataFusion in their arithmetic.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array,
    Int64Array, StringArray,
};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, SchemaRef};
use arrow::record_batch::RecordBatch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int,
    Big,
    Double,
    Decimal { precision: u8, scale: u8 },
    Text,
    Date,
}

impl Type {
    pub fn sql(self) -> String {
        match self {
            Type::Bool => "BOOLEAN".into(),
            Type::Int => "INTEGER".into(),
            Type::Big => "BIGINT".into(),
            Type::Double => "DOUBLE".into(),
            Type::Decimal { precision, scale } => format!("DECIMAL({precision}, {scale})"),
            Type::Text => "VARCHAR".into(),
            Type::Date => "DATE".into(),
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Type::Int | Type::Big | Type::Double | Type::Decimal { .. })
    }
}

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    /// An integer, a decimal's digits, or a date's days.
    Whole(i128),
    Float(f64),
    Text(String),
}

pub type Row = Vec<Value>;

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The order of values of one type that are not NULL; NaN is the greatest float.
    pub fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Whole(a), Value::Whole(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
            (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            _ => panic!("{self:?} and {other:?} are not of one type"),
        }
    }

    /// Equal values, NULLs among them, have equal texts.
    pub fn text(&self) -> String {
        match self {
            Value::Null => "NULL".into(),
            Value::Bool(value) => value.to_string(),
            Value::Whole(value) => value.to_string(),
            Value::Float(value) => format!("{value:?} {:x}", value.to_bits()),
            Value::Text(value) => format!("{value:?}"),
        }
    }
}

pub fn canonical(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

pub fn row_text(row: &[Value]) -> String {
    row.iter().map(Value::text).collect::<Vec<_>>().join(" | ")
}

/// Rows as a batch.
pub fn batch(schema: &SchemaRef, rows: &[Row]) -> RecordBatch {
    let column = |index: usize| array(schema.field(index).data_type(), rows.iter().map(|row| &row[index]));
    let columns = (0..schema.fields().len()).map(column).collect();
    RecordBatch::try_new(schema.clone(), columns).unwrap()
}

fn array<'a>(data_type: &DataType, values: impl Iterator<Item = &'a Value>) -> ArrayRef {
    let whole = |value: &Value| if let Value::Whole(whole) = value { Some(*whole) } else { None };
    match data_type {
        DataType::Boolean => {
            let bool = |value: &Value| if let Value::Bool(bool) = value { Some(*bool) } else { None };
            Arc::new(values.map(bool).collect::<BooleanArray>())
        }
        DataType::Int32 => Arc::new(values.map(|v| whole(v).map(|w| w as i32)).collect::<Int32Array>()),
        DataType::Date32 => Arc::new(values.map(|v| whole(v).map(|w| w as i32)).collect::<Date32Array>()),
        DataType::Int64 => Arc::new(values.map(|v| whole(v).map(|w| w as i64)).collect::<Int64Array>()),
        DataType::Decimal128(precision, scale) => {
            let decimals = values.map(whole).collect::<Decimal128Array>();
            Arc::new(decimals.with_precision_and_scale(*precision, *scale).unwrap())
        }
        DataType::Float64 => {
            let float = |value: &Value| if let Value::Float(float) = value { Some(*float) } else { None };
            Arc::new(values.map(float).collect::<Float64Array>())
        }
        DataType::Utf8 => {
            let text =
                |value: &'a Value| if let Value::Text(text) = value { Some(text.as_str()) } else { None };
            Arc::new(values.map(text).collect::<StringArray>())
        }
        other => panic!("the generator makes no {other}"),
    }
}

/// One row of a batch.
pub fn row(batch: &RecordBatch, row: usize) -> Row {
    batch.columns().iter().map(|column| value(column, row)).collect()
}

fn value(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::Int32 => Value::Whole(column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Date32 => Value::Whole(column.as_primitive::<Date32Type>().value(row).into()),
        DataType::Int64 => Value::Whole(column.as_primitive::<Int64Type>().value(row).into()),
        DataType::Decimal128(..) => Value::Whole(column.as_primitive::<Decimal128Type>().value(row)),
        DataType::Float64 => Value::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).to_owned()),
        other => panic!("the generator makes no {other}"),
    }
}
