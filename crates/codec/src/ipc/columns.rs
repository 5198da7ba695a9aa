use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray,
    StringArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowNativeType, DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampNanosecondType,
};
use arrow::ipc::{Buffer as Place, FieldNode};
use headwater_types::text::uuid;

use super::{IpcError, refused};

/// Takes the columns of a message one after the other from its body.
///
/// Arrow's own reader checks most of what it reads, but panics at some bytes, so columns are made here:
/// every length is compared with its buffer before an array is made of it.
pub(crate) struct Columns<B> {
    /// The buffers, in order.
    pub(crate) buffers: B,
    pub(crate) rows: usize,
}

/// The buffer at this place of a body.
pub(crate) fn buffer_at(body: &Buffer, place: &Place) -> Result<Buffer, IpcError> {
    let offset = usize::try_from(place.offset()).ok();
    let length = usize::try_from(place.length()).ok();
    let inside =
        |(offset, length): &(usize, usize)| offset.checked_add(*length).is_some_and(|end| end <= body.len());
    let (offset, length) =
        offset.zip(length).filter(inside).ok_or_else(|| refused("a buffer lies outside the body"))?;
    Ok(body.slice_with_length(offset, length))
}

impl<B: Iterator<Item = Result<Buffer, IpcError>>> Columns<B> {
    /// The next column, which is one that tables have.
    pub(super) fn take(&mut self, field: &Field, node: &FieldNode) -> Result<ArrayRef, IpcError> {
        if usize::try_from(node.length()) != Ok(self.rows) {
            return Err(refused(format!("column '{}' has another number of rows", field.name())));
        }
        let nulls = self.take_nulls(node.null_count())?;
        if nulls.is_some() && !field.is_nullable() {
            return Err(refused(format!("column '{}' is NOT NULL and holds NULL", field.name())));
        }
        match field.data_type() {
            DataType::Boolean => self.take_booleans(nulls),
            DataType::Int8 => self.take_primitive::<Int8Type>(nulls),
            DataType::Int16 => self.take_primitive::<Int16Type>(nulls),
            DataType::Int32 => self.take_primitive::<Int32Type>(nulls),
            DataType::Int64 => self.take_primitive::<Int64Type>(nulls),
            DataType::Float32 => self.take_primitive::<Float32Type>(nulls),
            DataType::Float64 => self.take_primitive::<Float64Type>(nulls),
            DataType::Date32 => self.take_primitive::<Date32Type>(nulls),
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                self.take_primitive::<TimestampMicrosecondType>(nulls)
            }
            DataType::Timestamp(TimeUnit::Nanosecond, None) => {
                self.take_primitive::<TimestampNanosecondType>(nulls)
            }
            DataType::Decimal128(precision, scale) => self.take_decimals(nulls, *precision, *scale),
            DataType::Time64(TimeUnit::Nanosecond) => self.take_primitive::<Time64NanosecondType>(nulls),
            DataType::FixedSizeBinary(bytes) if usize::try_from(*bytes) == Ok(uuid::BYTES) => {
                self.take_uuids(nulls)
            }
            DataType::Utf8 => self.take_texts(nulls),
            DataType::Binary => self.take_binaries(nulls),
            other => Err(refused(format!("columns of type {other} are not stored"))),
        }
    }

    /// The next buffer.
    pub(crate) fn take_buffer(&mut self) -> Result<Buffer, IpcError> {
        self.buffers.next().ok_or_else(|| refused("a buffer is missing"))?
    }

    fn take_bits(&mut self) -> Result<BooleanBuffer, IpcError> {
        let buffer = self.take_buffer()?;
        if buffer.len() < self.rows.div_ceil(8) {
            return Err(refused("a buffer of bits is too short"));
        }
        Ok(BooleanBuffer::new(buffer, 0, self.rows))
    }

    pub(crate) fn take_nulls(&mut self, null_count: i64) -> Result<Option<NullBuffer>, IpcError> {
        if null_count == 0 {
            self.take_buffer()?;
            return Ok(None);
        }
        let nulls = NullBuffer::new(self.take_bits()?);
        if i64::try_from(nulls.null_count()) != Ok(null_count) {
            return Err(refused("a column has another number of NULLs than it says"));
        }
        Ok(Some(nulls))
    }

    /// The next buffer as `count` values.
    pub(crate) fn take_values<T: ArrowNativeType>(
        &mut self,
        count: usize,
    ) -> Result<ScalarBuffer<T>, IpcError> {
        let buffer = self.take_buffer()?;
        let bytes = count.checked_mul(size_of::<T>()).filter(|bytes| *bytes <= buffer.len());
        let buffer =
            buffer.slice_with_length(0, bytes.ok_or_else(|| refused("a buffer of values is too short"))?);
        // Messages are aligned to 8 bytes and decimals to 16, so a copy may be needed.
        let aligned = buffer.as_ptr().align_offset(align_of::<T>()) == 0;
        Ok(ScalarBuffer::from(if aligned { buffer } else { Buffer::from(buffer.as_slice()) }))
    }

    pub(crate) fn take_primitive<T: ArrowPrimitiveType>(
        &mut self,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef, IpcError> {
        let values = self.take_values(self.rows)?;
        Ok(Arc::new(PrimitiveArray::<T>::try_new(values, nulls).map_err(refused)?))
    }

    fn take_decimals(
        &mut self,
        nulls: Option<NullBuffer>,
        precision: u8,
        scale: i8,
    ) -> Result<ArrayRef, IpcError> {
        let values = self.take_values(self.rows)?;
        let decimals = PrimitiveArray::<Decimal128Type>::try_new(values, nulls).map_err(refused)?;
        let decimals = decimals.with_precision_and_scale(precision, scale).map_err(refused)?;
        decimals.validate_decimal_precision(precision).map_err(refused)?;
        Ok(Arc::new(decimals))
    }

    pub(crate) fn take_booleans(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, IpcError> {
        Ok(Arc::new(BooleanArray::new(self.take_bits()?, nulls)))
    }

    fn take_uuids(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, IpcError> {
        let bytes = self.rows.checked_mul(uuid::BYTES).ok_or_else(|| refused("there are too many UUIDs"))?;
        let values = self.take_values::<u8>(bytes)?.into_inner();
        Ok(Arc::new(FixedSizeBinaryArray::try_new(uuid::BYTES as i32, values, nulls).map_err(refused)?))
    }

    pub(crate) fn take_texts(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, IpcError> {
        let (ends, texts) = self.take_ends_and_bytes()?;
        Ok(Arc::new(StringArray::try_new(ends, texts, nulls).map_err(refused)?))
    }

    pub(crate) fn take_binaries(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, IpcError> {
        let (ends, bytes) = self.take_ends_and_bytes()?;
        Ok(Arc::new(BinaryArray::try_new(ends, bytes, nulls).map_err(refused)?))
    }

    fn take_ends_and_bytes(&mut self) -> Result<(OffsetBuffer<i32>, Buffer), IpcError> {
        let ends = self.take_values::<i32>(self.rows + 1)?;
        let bytes = self.take_buffer()?;
        if ends[0] < 0 || ends.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err(refused("values end before they begin"));
        }
        Ok((OffsetBuffer::new(ends), bytes))
    }
}
