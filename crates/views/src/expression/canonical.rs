use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};

/// The same values with one zero and one NaN, so that equal rows have equal bytes.
pub(crate) fn canonical_floats(array: ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Float64 => {
            let floats = array.as_primitive::<Float64Type>();
            if floats.values().iter().all(|value| value.to_bits() == canonical_f64(*value).to_bits()) {
                return array;
            }
            Arc::new(floats.unary::<_, Float64Type>(canonical_f64))
        }
        DataType::Float32 => {
            let floats = array.as_primitive::<Float32Type>();
            if floats.values().iter().all(|value| value.to_bits() == canonical_f32(*value).to_bits()) {
                return array;
            }
            Arc::new(floats.unary::<_, Float32Type>(canonical_f32))
        }
        _ => array,
    }
}

fn canonical_f64(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

fn canonical_f32(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value + 0.0 }
}
