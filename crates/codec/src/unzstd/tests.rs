#![allow(clippy::unwrap_used)]

use headwater_types::limits::{BODY_BYTES_MAX, DECOMPRESSION_RATIO_MAX};

use super::*;

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

#[test]
fn one_frame_or_several_are_decompressed() {
    assert_eq!(unzstd(&zstd(b"{\"a\":1}")).unwrap(), b"{\"a\":1}");
    assert_eq!(
        unzstd(&[zstd(b"{\"a\":1}\n"), zstd(b"{\"a\":2}")].concat()).unwrap(),
        b"{\"a\":1}\n{\"a\":2}"
    );
    assert_eq!(unzstd(&zstd(b"")).unwrap(), b"");
}

#[test]
fn what_is_cut_short_is_refused_wherever_it_is_cut() {
    let whole = zstd(b"some text that is not all alike: 0123456789");
    for length in 1..whole.len() {
        assert!(unzstd(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
}

#[test]
fn other_bytes_are_refused() {
    for bytes in [&b"{\"a\":1}"[..], &[0x1f, 0x8b, 8, 0], &[zstd(b"x"), b"tail".to_vec()].concat()] {
        assert!(matches!(
            unzstd(bytes),
            Err(DecompressionError::Invalid { .. } | DecompressionError::Truncated)
        ));
    }
}

#[test]
fn a_bomb_is_refused_by_its_ratio_and_by_its_size() {
    let dense = zstd(&vec![b' '; 32 << 20]);
    assert_eq!(unzstd(&dense), Err(DecompressionError::TooDense { ratio_max: DECOMPRESSION_RATIO_MAX }));
    let random =
        (0..BODY_BYTES_MAX as u64 / 8 + 1).flat_map(|k| k.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    let large = zstd(&random.collect::<Vec<u8>>());
    assert_eq!(unzstd(&large), Err(DecompressionError::TooLarge { max: BODY_BYTES_MAX }));
}
