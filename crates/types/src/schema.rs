use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::name::Name;

/// The SQL type of a column. Its Arrow type is what is stored, logged and computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// `BOOLEAN`
    Boolean,
    /// `TINYINT`, 8 bits, signed
    TinyInt,
    /// `SMALLINT`, 16 bits, signed
    SmallInt,
    /// `INTEGER`, 32 bits, signed
    Int,
    /// `BIGINT`, 64 bits, signed
    BigInt,
    /// `REAL`, 32-bit float. −0.0 is stored as 0.0 and there is one NaN.
    Real,
    /// `DOUBLE`, 64-bit float. −0.0 is stored as 0.0 and there is one NaN.
    Double,
    /// `DECIMAL(precision, scale)`, at most 38 digits
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// `VARCHAR`, UTF-8
    Varchar,
    /// `VARBINARY`, bytes
    Varbinary,
    /// `UUID`, 16 bytes
    Uuid,
    /// `DATE`, days since 1970-01-01
    Date,
    /// `TIME`, nanoseconds since midnight. Less than a day in records; a function may give a leap second, which is
    /// written as the time it comes to.
    Time,
    /// `TIMESTAMP`, microseconds since 1970-01-01T00:00:00 UTC
    Timestamp,
    /// `TIMESTAMP(9)`, nanoseconds since 1970-01-01T00:00:00 UTC
    TimestampNanos,
}

/// Bytes of a UUID, as Arrow counts them. Nothing else is stored in a fixed number of bytes.
const UUID_BYTES: i32 = 16;

impl ColumnType {
    /// The Arrow type that holds the column.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::TinyInt => DataType::Int8,
            ColumnType::SmallInt => DataType::Int16,
            ColumnType::Int => DataType::Int32,
            ColumnType::BigInt => DataType::Int64,
            ColumnType::Real => DataType::Float32,
            ColumnType::Double => DataType::Float64,
            ColumnType::Decimal { precision, scale } => DataType::Decimal128(precision, scale.cast_signed()),
            ColumnType::Varchar => DataType::Utf8,
            ColumnType::Varbinary => DataType::Binary,
            ColumnType::Uuid => DataType::FixedSizeBinary(UUID_BYTES),
            ColumnType::Date => DataType::Date32,
            ColumnType::Time => DataType::Time64(TimeUnit::Nanosecond),
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            ColumnType::TimestampNanos => DataType::Timestamp(TimeUnit::Nanosecond, None),
        }
    }

    /// The column type that an Arrow type stands for; `None` where SQL has no such type here.
    #[must_use]
    pub fn from_arrow(data_type: &DataType) -> Option<ColumnType> {
        Some(match data_type {
            DataType::Boolean => ColumnType::Boolean,
            DataType::Int8 => ColumnType::TinyInt,
            DataType::Int16 => ColumnType::SmallInt,
            DataType::Int32 => ColumnType::Int,
            DataType::Int64 => ColumnType::BigInt,
            DataType::Float32 => ColumnType::Real,
            DataType::Float64 => ColumnType::Double,
            DataType::Decimal128(precision, scale) => {
                ColumnType::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? }
            }
            DataType::Utf8 => ColumnType::Varchar,
            DataType::Binary => ColumnType::Varbinary,
            DataType::FixedSizeBinary(UUID_BYTES) => ColumnType::Uuid,
            DataType::Date32 => ColumnType::Date,
            DataType::Time64(TimeUnit::Nanosecond) => ColumnType::Time,
            DataType::Timestamp(TimeUnit::Microsecond, None) => ColumnType::Timestamp,
            DataType::Timestamp(TimeUnit::Nanosecond, None) => ColumnType::TimestampNanos,
            _ => return None,
        })
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnType::Boolean => f.write_str("BOOLEAN"),
            ColumnType::TinyInt => f.write_str("TINYINT"),
            ColumnType::SmallInt => f.write_str("SMALLINT"),
            ColumnType::Int => f.write_str("INTEGER"),
            ColumnType::BigInt => f.write_str("BIGINT"),
            ColumnType::Real => f.write_str("REAL"),
            ColumnType::Double => f.write_str("DOUBLE"),
            ColumnType::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            ColumnType::Varchar => f.write_str("VARCHAR"),
            ColumnType::Varbinary => f.write_str("VARBINARY"),
            ColumnType::Uuid => f.write_str("UUID"),
            ColumnType::Date => f.write_str("DATE"),
            ColumnType::Time => f.write_str("TIME"),
            ColumnType::Timestamp => f.write_str("TIMESTAMP"),
            ColumnType::TimestampNanos => f.write_str("TIMESTAMP(9)"),
        }
    }
}

/// One column of a table or view.
#[derive(Clone, Debug)]
pub struct Column {
    /// Unique in its relation.
    pub name: Name,
    /// Its SQL type.
    pub column_type: ColumnType,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// The value of a record that leaves the column out: an array of one element, of the column's Arrow type.
    pub default: Option<arrow::array::ArrayRef>,
}

impl PartialEq for Column {
    fn eq(&self, other: &Column) -> bool {
        let default = |c: &Column| c.default.as_ref().map(|d| d.to_data());
        self.name == other.name
            && self.column_type == other.column_type
            && self.nullable == other.nullable
            && default(self) == default(other)
    }
}

/// `'retention' = '<interval> on <column>'`: rows older than this by the workspace clock are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Index of a TIMESTAMP or TIMESTAMP(9) or DATE column.
    pub column: usize,
    /// How long a row is kept, in microseconds.
    pub keep_micros: i64,
}

/// `'changes' = 'off'`, `'<interval>'` or `'<interval>, <size>'`: how much of what changed is kept for followers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangesKept {
    /// As much as usual.
    #[default]
    Usual,
    /// Nothing: it cannot be followed.
    Off,
    /// So much, whichever is less.
    AtMost {
        /// In ingest time.
        micros: i64,
        /// Bytes in files; `None` for as many as the volume's share of the change log allows.
        bytes: Option<u64>,
    },
}

/// What `CREATE TABLE` said.
#[derive(Clone, Debug, PartialEq)]
pub struct TableDefinition {
    /// The table's name.
    pub name: Name,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Indexes of the PRIMARY KEY's columns, in key order; empty without key.
    pub primary_key: Vec<usize>,
    /// Whether rows are kept. Always true with a primary key.
    pub materialized: bool,
    /// When rows are deleted by age.
    pub retention: Option<Retention>,
    /// What is kept for followers.
    pub changes: ChangesKept,
}

impl TableDefinition {
    /// The Arrow schema of the table's rows.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        schema_of(&self.columns)
    }

    /// Whether the table has a PRIMARY KEY.
    #[must_use]
    pub fn has_primary_key(&self) -> bool {
        !self.primary_key.is_empty()
    }

    /// The index of a column by name.
    #[must_use]
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name.as_str() == name)
    }
}

/// The Arrow schema of rows with these columns.
#[must_use]
pub fn schema_of(columns: &[Column]) -> SchemaRef {
    let field = |c: &Column| Field::new(c.name.as_str(), c.column_type.arrow(), c.nullable);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}
