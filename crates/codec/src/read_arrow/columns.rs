use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, DictionaryArray, FixedSizeBinaryArray, LargeBinaryArray,
    LargeStringArray, NullArray, StringViewArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowDictionaryKeyType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::ipc;
use headwater_types::limits::RECORDS_PER_REQUEST_MAX;

use super::buffers::{Budget, decompressed};
use super::malformed;
use super::schema::StreamSchema;
use crate::body_error::BodyError;
use crate::ipc::columns::{Columns, buffer_at};
use crate::ipc::{IpcError, refused};

/// A batch's columns, and the number of its rows.
pub(super) fn batch(
    header: &ipc::RecordBatch<'_>,
    body: &[u8],
    schema: &StreamSchema,
    dictionaries: &HashMap<i64, ArrayRef>,
    budget: &mut Budget,
) -> Result<(Vec<ArrayRef>, usize), BodyError> {
    let types = schema.fields.iter().map(|field| field.data_type());
    let of = schema.dictionaries.iter().map(|id| id.map(|id| dictionaries.get(&id)));
    let columns = types.zip(of).collect::<Vec<_>>();
    let rows = rows_of(header)?;
    Ok((read(header, body, &columns, rows, budget).map_err(malformed)?, rows))
}

/// The words of a dictionary, and its id.
pub(super) fn dictionary(
    dictionary: &ipc::DictionaryBatch<'_>,
    body: &[u8],
    schema: &StreamSchema,
    budget: &mut Budget,
) -> Result<(i64, ArrayRef), BodyError> {
    let id = dictionary.id();
    let column = schema.dictionaries.iter().position(|of| *of == Some(id));
    let column = column.ok_or_else(|| malformed(refused("a dictionary belongs to no column")))?;
    if dictionary.isDelta() {
        return Err(malformed(refused(
            "a dictionary adds to one before it: have the writer send whole dictionaries",
        )));
    }
    let header = dictionary.data().ok_or_else(|| malformed(refused("a dictionary has no words")))?;
    let DataType::Dictionary(_, values) = schema.fields[column].data_type() else {
        return Err(malformed(refused("a dictionary belongs to no column")));
    };
    let words =
        read(&header, body, &[(values.as_ref(), None)], rows_of(&header)?, budget).map_err(malformed)?;
    Ok((id, words.into_iter().next().ok_or_else(|| malformed(refused("a dictionary has no words")))?))
}

fn rows_of(header: &ipc::RecordBatch<'_>) -> Result<usize, BodyError> {
    let rows =
        usize::try_from(header.length()).map_err(|_| malformed(refused("a batch has a negative length")))?;
    if rows > RECORDS_PER_REQUEST_MAX { Err(BodyError::TooManyRecords) } else { Ok(rows) }
}

/// A column's type, and for one with a dictionary its words, if they came.
type ColumnOf<'s> = (&'s DataType, Option<Option<&'s ArrayRef>>);

fn read(
    header: &ipc::RecordBatch<'_>,
    body: &[u8],
    types: &[ColumnOf<'_>],
    rows: usize,
    budget: &mut Budget,
) -> Result<Vec<ArrayRef>, IpcError> {
    let codec = header.compression().map(|compression| compression.codec());
    let nodes = header.nodes().ok_or_else(|| refused("the columns are not described"))?;
    let places = header.buffers().ok_or_else(|| refused("the buffers are not described"))?;
    if nodes.len() != types.len() {
        return Err(refused("a batch has another number of columns than the schema"));
    }
    let body = Buffer::from(body);
    let buffers = places.iter().map(|place| decompressed(buffer_at(&body, place)?, codec, budget));
    let mut columns = Columns { buffers, rows };
    let mut extra_counts = header.variadicBufferCounts().into_iter().flatten();
    let mut read = Vec::with_capacity(types.len());
    for ((data_type, words), node) in types.iter().zip(nodes) {
        if usize::try_from(node.length()) != Ok(rows) {
            return Err(refused("a column has another number of rows than its batch"));
        }
        let column = Column { columns: &mut columns, null_count: node.null_count() };
        read.push(match words {
            Some(words) => column.dictionary(data_type, *words)?,
            None => column.plain(data_type, &mut extra_counts)?,
        });
    }
    Ok(read)
}

/// The column that is read next.
struct Column<'c, B> {
    columns: &'c mut Columns<B>,
    null_count: i64,
}

impl<B: Iterator<Item = Result<Buffer, IpcError>>> Column<'_, B> {
    fn plain(
        self,
        data_type: &DataType,
        extra_counts: &mut dyn Iterator<Item = i64>,
    ) -> Result<ArrayRef, IpcError> {
        let rows = self.columns.rows;
        if *data_type == DataType::Null {
            return Ok(Arc::new(NullArray::new(rows)) as ArrayRef);
        }
        let nulls = self.columns.take_nulls(self.null_count)?;
        let columns = self.columns;
        match data_type {
            DataType::Boolean => columns.take_booleans(nulls),
            DataType::Int8 => columns.take_primitive::<Int8Type>(nulls),
            DataType::Int16 => columns.take_primitive::<Int16Type>(nulls),
            DataType::Int32 => columns.take_primitive::<Int32Type>(nulls),
            DataType::Int64 => columns.take_primitive::<Int64Type>(nulls),
            DataType::UInt8 => columns.take_primitive::<UInt8Type>(nulls),
            DataType::UInt16 => columns.take_primitive::<UInt16Type>(nulls),
            DataType::UInt32 => columns.take_primitive::<UInt32Type>(nulls),
            DataType::UInt64 => columns.take_primitive::<UInt64Type>(nulls),
            DataType::Float16 => columns.take_primitive::<Float16Type>(nulls),
            DataType::Float32 => columns.take_primitive::<Float32Type>(nulls),
            DataType::Float64 => columns.take_primitive::<Float64Type>(nulls),
            DataType::Date32 => columns.take_primitive::<Date32Type>(nulls),
            DataType::Date64 => columns.take_primitive::<Date64Type>(nulls),
            DataType::Timestamp(TimeUnit::Second, _) => columns.take_primitive::<TimestampSecondType>(nulls),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                columns.take_primitive::<TimestampMillisecondType>(nulls)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                columns.take_primitive::<TimestampMicrosecondType>(nulls)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                columns.take_primitive::<TimestampNanosecondType>(nulls)
            }
            // Whether the digits are as many as the type says is asked when they are converted.
            DataType::Decimal32(..) => columns.take_primitive::<Decimal32Type>(nulls),
            DataType::Decimal64(..) => columns.take_primitive::<Decimal64Type>(nulls),
            DataType::Decimal128(..) => columns.take_primitive::<Decimal128Type>(nulls),
            DataType::Decimal256(..) => columns.take_primitive::<Decimal256Type>(nulls),
            DataType::Time32(TimeUnit::Second) => columns.take_primitive::<Time32SecondType>(nulls),
            DataType::Time32(_) => columns.take_primitive::<Time32MillisecondType>(nulls),
            DataType::Time64(TimeUnit::Microsecond) => columns.take_primitive::<Time64MicrosecondType>(nulls),
            DataType::Time64(_) => columns.take_primitive::<Time64NanosecondType>(nulls),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary if rows == 0 => {
                no_rows(columns, data_type)
            }
            DataType::Utf8 => columns.take_texts(nulls),
            DataType::Binary => columns.take_binaries(nulls),
            DataType::LargeUtf8 => {
                let (ends, bytes) = large_ends_and_bytes(columns)?;
                Ok(Arc::new(LargeStringArray::try_new(ends, bytes, nulls).map_err(refused)?) as ArrayRef)
            }
            DataType::LargeBinary => {
                let (ends, bytes) = large_ends_and_bytes(columns)?;
                Ok(Arc::new(LargeBinaryArray::try_new(ends, bytes, nulls).map_err(refused)?) as ArrayRef)
            }
            DataType::Utf8View => {
                let (views, bytes) = views_and_bytes(columns, extra_counts)?;
                Ok(Arc::new(StringViewArray::try_new(views, bytes, nulls).map_err(refused)?) as ArrayRef)
            }
            DataType::BinaryView => {
                let (views, bytes) = views_and_bytes(columns, extra_counts)?;
                Ok(Arc::new(BinaryViewArray::try_new(views, bytes, nulls).map_err(refused)?) as ArrayRef)
            }
            DataType::FixedSizeBinary(width) => {
                let bytes = rows.checked_mul(width.unsigned_abs() as usize);
                let bytes = bytes.ok_or_else(|| refused("a column is too long"))?;
                let values = columns.take_values::<u8>(bytes)?.into_inner();
                Ok(Arc::new(FixedSizeBinaryArray::try_new(*width, values, nulls).map_err(refused)?)
                    as ArrayRef)
            }
            other => Err(refused(format!("columns of type {other} are not taken"))),
        }
        .map(|array| with_type(array, data_type))
    }

    fn dictionary(self, data_type: &DataType, words: Option<&ArrayRef>) -> Result<ArrayRef, IpcError> {
        let DataType::Dictionary(keys, _) = data_type else {
            return Err(refused("a dictionary belongs to another column"));
        };
        match keys.as_ref() {
            DataType::Int8 => self.keyed::<Int8Type>(words),
            DataType::Int16 => self.keyed::<Int16Type>(words),
            DataType::Int32 => self.keyed::<Int32Type>(words),
            DataType::Int64 => self.keyed::<Int64Type>(words),
            DataType::UInt8 => self.keyed::<UInt8Type>(words),
            DataType::UInt16 => self.keyed::<UInt16Type>(words),
            DataType::UInt32 => self.keyed::<UInt32Type>(words),
            _ => self.keyed::<UInt64Type>(words),
        }
    }

    fn keyed<K: ArrowDictionaryKeyType>(self, words: Option<&ArrayRef>) -> Result<ArrayRef, IpcError> {
        let nulls = self.columns.take_nulls(self.null_count)?;
        let keys = self.columns.take_primitive::<K>(nulls)?;
        let words = words.ok_or_else(|| refused("a batch comes before its dictionary"))?;
        let keyed = DictionaryArray::try_new(keys.as_primitive::<K>().clone(), Arc::clone(words));
        Ok(Arc::new(keyed.map_err(refused)?))
    }
}

fn large_ends_and_bytes<B: Iterator<Item = Result<Buffer, IpcError>>>(
    columns: &mut Columns<B>,
) -> Result<(OffsetBuffer<i64>, Buffer), IpcError> {
    let ends = columns.take_values::<i64>(columns.rows + 1)?;
    let bytes = columns.take_buffer()?;
    if ends[0] < 0 || ends.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(refused("values end before they begin"));
    }
    Ok((OffsetBuffer::new(ends), bytes))
}

fn views_and_bytes<B: Iterator<Item = Result<Buffer, IpcError>>>(
    columns: &mut Columns<B>,
    extra_counts: &mut dyn Iterator<Item = i64>,
) -> Result<(ScalarBuffer<u128>, Vec<Buffer>), IpcError> {
    let views = columns.take_values::<u128>(columns.rows)?;
    let extra = extra_counts.next().ok_or_else(|| refused("the buffers of a view are not counted"))?;
    let bytes = (0..extra).map(|_| columns.take_buffer()).collect::<Result<_, _>>()?;
    Ok((views, bytes))
}

/// Writers may leave the offsets of no texts out.
fn no_rows<B: Iterator<Item = Result<Buffer, IpcError>>>(
    columns: &mut Columns<B>,
    data_type: &DataType,
) -> Result<ArrayRef, IpcError> {
    columns.take_buffer()?;
    columns.take_buffer()?;
    Ok(arrow::array::new_empty_array(data_type))
}

/// The array with the zone, or the digits, that its column has.
fn with_type(array: ArrayRef, data_type: &DataType) -> ArrayRef {
    match data_type {
        DataType::Timestamp(..)
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => {
            let data = array.to_data().into_builder().data_type(data_type.clone());
            // The layout of the values does not depend on zone and digits.
            data.build().map_or(array, arrow::array::make_array)
        }
        _ => array,
    }
}
