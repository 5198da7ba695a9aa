//! Arrow bodies with flipped bytes, cut short, or made to grow: never a panic, never more memory than
//! the body's size accounts for.
#![allow(clippy::unwrap_used, unsafe_code)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{
    ArrayRef, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use common::table;
use headwater_codec::{BodyError, BodyFormat, DecodeOptions, decode_table};
use headwater_types::{Decoded, TableDefinition};

/// Counts the bytes that are allocated, and the most that ever were.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST_HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST_HELD.fetch_max(held, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TABLE: &str =
    "t: id BIGINT, n INTEGER, f DOUBLE, s VARCHAR, w VARCHAR, v VARCHAR, d DECIMAL(10.2), at TIMESTAMP";
/// Bytes that a decoder may need for any body of a few kilobytes.
const MEMORY_MAX: usize = 48 << 20;

fn rows() -> RecordBatch {
    let count = 200;
    let words: DictionaryArray<Int32Type> =
        (0..count).map(|k| if k % 7 == 0 { None } else { Some(["x", "yy"][k % 2]) }).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new((0..count as i64).collect::<Int64Array>())),
        ("n", Arc::new((0..count as i32).map(|k| (k % 3 != 0).then_some(k)).collect::<Int32Array>())),
        ("f", Arc::new((0..count).map(|k| k as f64 / 8.0).collect::<Float64Array>())),
        ("s", Arc::new((0..count).map(|k| Some(format!("text {k}"))).collect::<StringArray>())),
        ("w", Arc::new(words)),
        (
            "v",
            Arc::new(
                (0..count)
                    .map(|k| Some("a longer text than twelve bytes".repeat(k % 3)))
                    .collect::<StringViewArray>(),
            ),
        ),
        (
            "d",
            Arc::new(
                (0..count as i128).collect::<Decimal128Array>().with_precision_and_scale(10, 2).unwrap(),
            ),
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from_iter_values((0..count as i64).map(|k| k * 1_000_003))),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn arrow(batch: &RecordBatch, codec: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(codec).unwrap();
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn decode(body: &[u8], tables: &[Arc<TableDefinition>]) -> Result<Decoded, BodyError> {
    decode_table(body, BodyFormat::Arrow, tables, 0, &DecodeOptions::default())
}

/// Decodes within bounds; tells whether the body was taken.
fn survives(body: &[u8], tables: &[Arc<TableDefinition>]) -> bool {
    let before = HELD.load(Ordering::Relaxed);
    MOST_HELD.store(before, Ordering::Relaxed);
    let decoded = decode(body, tables);
    let took = MOST_HELD.load(Ordering::Relaxed).saturating_sub(before);
    assert!(took < MEMORY_MAX, "{took} bytes for a body of {}: {:?}", body.len(), decoded.err());
    decoded.is_ok()
}

/// A well-mixed number that depends on `k` alone.
fn mixed(k: u64) -> u64 {
    let k = (k ^ (k >> 31)).wrapping_mul(0x7fb5_d329_728e_a185);
    (k ^ (k >> 27)).wrapping_mul(0x81da_def4_bc2d_d44d) ^ (k >> 33)
}

fn abuse(body: &[u8]) {
    let tables = [table(TABLE)];
    assert!(survives(body, &tables), "{:?}", decode(body, &tables).err());
    for length in (0..body.len()).step_by(1 + body.len() / 300) {
        assert!(!survives(&body[..length], &tables), "cut at {length}");
    }
    // Every byte where lengths stand, and some of the values.
    for at in (0..body.len()).filter(|at| at % 4 == 0 || *at < 1_000 || at + 1_000 > body.len()) {
        let mut changed = body.to_vec();
        changed[at] ^= [0x01_u8, 0x80, 0xff][at % 3];
        survives(&changed, &tables);
    }
    for round in 0..2_000_u64 {
        let mut changed = body.to_vec();
        for flip in 0..1 + mixed(round) % 4 {
            let random = mixed(round * 8 + flip + 1);
            let at = (random % changed.len() as u64) as usize;
            changed[at] = (random >> 40) as u8;
        }
        survives(&changed, &tables);
    }
}

/// One test, as the memory of all threads is counted together.
#[test]
fn no_bytes_make_a_decoder_panic_or_take_much_memory() {
    let rows = rows();
    for codec in [None, Some(CompressionType::ZSTD)] {
        abuse(&arrow(&rows, codec));
    }
    bombs();
}

fn bombs() {
    let tables = [table("t: s VARCHAR")];
    // A dictionary that names one long text a million times.
    let long = "x".repeat(1 << 20);
    let keys = Int32Array::from(vec![0; 1_000_000]);
    let words: ArrayRef =
        Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(vec![long.as_str()]))));
    let bomb = RecordBatch::try_from_iter([("s", words)]).unwrap();
    let body = arrow(&bomb, None);
    assert_eq!(decode(&body, &tables).err(), Some(BodyError::DecodedTooLarge));
    let body = arrow(&bomb, Some(CompressionType::ZSTD));
    assert!(decode(&body, &tables).is_err());
}
