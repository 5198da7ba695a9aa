use arrow::datatypes::DataType;
use headwater_types::{ColumnType, RecordErrorCode};

use crate::problem::Problem;

/// Whether some values of the source's type are values of the column's, or why not.
pub(super) fn check(source: &DataType, column_type: ColumnType) -> Result<(), Box<Problem>> {
    let source = match source {
        DataType::Dictionary(_, values) => values,
        plain => plain,
    };
    if *source == DataType::Null || fits(source, column_type) {
        return Ok(());
    }
    let message = format!("{} has nothing in common with {column_type}", name(source));
    Err(Problem::new(RecordErrorCode::Type, message).hint(hint(source, column_type)))
}

fn fits(source: &DataType, column_type: ColumnType) -> bool {
    match column_type {
        ColumnType::Boolean => *source == DataType::Boolean,
        ColumnType::TinyInt | ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt => {
            source.is_integer() || source.is_floating() || is_decimal(source)
        }
        ColumnType::Real | ColumnType::Double => source.is_integer() || source.is_floating(),
        ColumnType::Decimal { .. } => source.is_integer() || is_decimal(source) || is_text(source),
        ColumnType::Varchar => is_text(source),
        ColumnType::Varbinary => is_binary(source) || is_text(source),
        ColumnType::Uuid => matches!(source, DataType::FixedSizeBinary(16)) || is_text(source),
        ColumnType::Time => matches!(source, DataType::Time32(_) | DataType::Time64(_)) || is_text(source),
        ColumnType::Date => {
            matches!(source, DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, None))
                || is_text(source)
        }
        ColumnType::Timestamp | ColumnType::TimestampNanos => {
            matches!(source, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) || is_text(source)
        }
    }
}

/// What a sender does to bring the values into the column's type.
fn hint(source: &DataType, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Decimal { precision, scale } if source.is_floating() => {
            format!(
                "floats hold few decimals exactly: cast to decimal128({precision}, {scale}) before sending"
            )
        }
        ColumnType::Real | ColumnType::Double if is_decimal(source) => {
            "floats hold few decimals exactly: cast to float64 before sending, or make the column a DECIMAL"
                .to_owned()
        }
        ColumnType::Date if matches!(source, DataType::Timestamp(_, Some(_))) => {
            "which day it is depends on the zone: cast to date before sending".to_owned()
        }
        _ => format!("cast it to {} before sending", name(&column_type.arrow())),
    }
}

fn is_decimal(source: &DataType) -> bool {
    matches!(
        source,
        DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..)
    )
}

fn is_text(source: &DataType) -> bool {
    matches!(source, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_binary(source: &DataType) -> bool {
    matches!(
        source,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
    )
}

/// The type in the words of Arrow, without what is inside of a nested one.
pub(crate) fn name(source: &DataType) -> String {
    match source {
        DataType::Struct(_) => "struct".to_owned(),
        nested if nested.is_nested() => "list".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        plain => plain.to_string().to_lowercase(),
    }
}
