use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{DataType as SqlType, ExactNumberInfo, TimezoneInfo};
use headwater_types::ColumnType;

use crate::names;

/// The most digits of a DECIMAL.
const DECIMAL_DIGITS_MAX: u64 = 38;

/// Why a type was refused, with what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeRefusal {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// The column type that a SQL type names.
pub(crate) fn column_type(sql_type: &SqlType) -> std::result::Result<ColumnType, TypeRefusal> {
    Ok(match sql_type {
        SqlType::Boolean | SqlType::Bool => ColumnType::Boolean,
        SqlType::TinyInt(None) => ColumnType::TinyInt,
        SqlType::SmallInt(None) | SqlType::Int2(None) => ColumnType::SmallInt,
        SqlType::Int(None) | SqlType::Integer(None) | SqlType::Int4(None) => ColumnType::Int,
        SqlType::BigInt(None) | SqlType::Int8(None) => ColumnType::BigInt,
        SqlType::Real | SqlType::Float4 => ColumnType::Real,
        SqlType::Double(ExactNumberInfo::None)
        | SqlType::DoublePrecision
        | SqlType::Float8
        | SqlType::Float(ExactNumberInfo::None) => ColumnType::Double,
        SqlType::Decimal(info) | SqlType::Numeric(info) | SqlType::Dec(info) => decimal(info)?,
        SqlType::Varchar(_)
        | SqlType::CharVarying(_)
        | SqlType::CharacterVarying(_)
        | SqlType::Char(_)
        | SqlType::Character(_)
        | SqlType::Text
        | SqlType::String(_) => ColumnType::Varchar,
        SqlType::Varbinary(_) | SqlType::Binary(_) | SqlType::Bytea => ColumnType::Varbinary,
        SqlType::Uuid => ColumnType::Uuid,
        SqlType::Date => ColumnType::Date,
        SqlType::Time(None | Some(0..=9), TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            ColumnType::Time
        }
        SqlType::Timestamp(precision, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            timestamp(*precision)?
        }
        other => return Err(unknown(other)),
    })
}

fn decimal(info: &ExactNumberInfo) -> std::result::Result<ColumnType, TypeRefusal> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => {
            return Err(TypeRefusal {
                message: "a DECIMAL needs its precision and scale".to_owned(),
                hint: "write for instance DECIMAL(18, 2)".to_owned(),
            });
        }
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let fits = (1..=DECIMAL_DIGITS_MAX).contains(&precision);
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision), Ok(scale)) if fits && scale <= precision => {
            Ok(ColumnType::Decimal { precision, scale })
        }
        _ => Err(TypeRefusal {
            message: format!("DECIMAL({precision}, {scale}) is not possible"),
            hint: format!("the precision is 1 to {DECIMAL_DIGITS_MAX}, the scale 0 to the precision"),
        }),
    }
}

fn timestamp(precision: Option<u64>) -> std::result::Result<ColumnType, TypeRefusal> {
    match precision {
        None | Some(0..=6) => Ok(ColumnType::Timestamp),
        Some(9) => Ok(ColumnType::TimestampNanos),
        Some(other) => Err(TypeRefusal {
            message: format!("TIMESTAMP({other}) is not supported"),
            hint: "use TIMESTAMP (microseconds) or TIMESTAMP(9) (nanoseconds)".to_owned(),
        }),
    }
}

fn unknown(sql_type: &SqlType) -> TypeRefusal {
    let hint = match sql_type {
        SqlType::Time(..) => "use TIME, which has no zone and up to nine digits behind the second".to_owned(),
        SqlType::Timestamp(..) | SqlType::Datetime(_) | SqlType::TimestampNtz(_) => {
            "use TIMESTAMP; times are UTC, so convert before you push".to_owned()
        }
        SqlType::Custom(name, _) => {
            let written = name.0.last().and_then(|part| part.as_ident()).map(names::fold).unwrap_or_default();
            crate::suggest::nearest(&written, TYPE_NAMES)
                .map_or_else(types_hint, |near| format!("did you mean {}?", near.to_uppercase()))
        }
        _ => types_hint(),
    };
    TypeRefusal { message: format!("the type {sql_type} is not supported"), hint }
}

const TYPE_NAMES: [&str; 17] = [
    "boolean",
    "tinyint",
    "smallint",
    "integer",
    "int",
    "bigint",
    "real",
    "double",
    "decimal",
    "varchar",
    "text",
    "varbinary",
    "bytea",
    "uuid",
    "date",
    "time",
    "timestamp",
];

fn types_hint() -> String {
    "use BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, DECIMAL(p, s), VARCHAR, VARBINARY, UUID, DATE, \
     TIME, TIMESTAMP or TIMESTAMP(9)"
        .to_owned()
}

/// Gives `CAST(x AS type)` the types that columns have. Types that no column has keep the planner's meaning; views
/// refuse them before planning.
#[derive(Debug)]
pub(crate) struct HeadwaterTypes;

impl TypePlanner for HeadwaterTypes {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let field = |known: ColumnType| Arc::new(Field::new("", known.arrow(), true));
        Ok(column_type(sql_type).ok().map(field))
    }
}
