#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use headwater_types::limits::{BODY_BYTES_MAX, DECOMPRESSION_FREE_BYTES, DECOMPRESSION_RATIO_MAX};
use proptest::prelude::*;

use super::*;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn members_are_joined_and_padding_is_passed_over() {
    let wire = [gzip(b"one,"), gzip(b""), gzip(b"two"), vec![0; 7]].concat();
    assert_eq!(gunzip(&wire).unwrap(), b"one,two");
}

#[test]
fn every_cut_is_noticed() {
    let wire = gzip(b"{\"id\": 1}");
    for length in 0..wire.len() {
        assert_eq!(gunzip(&wire[..length]), Err(DecompressionError::Truncated), "cut at {length}");
    }
}

#[test]
fn bytes_that_are_no_member_are_refused() {
    let wire = [gzip(b"one"), b"junk".to_vec()].concat();
    assert_eq!(gunzip(&wire), Err(DecompressionError::TrailingBytes { bytes: 4 }));
    assert!(matches!(gunzip(b"plain text, not gzip at all"), Err(DecompressionError::Invalid { .. })));
}

#[test]
fn a_changed_byte_of_the_checksum_is_noticed() {
    let mut wire = gzip(b"one");
    let checksum = wire.len() - 8;
    wire[checksum] ^= 1;
    assert!(matches!(gunzip(&wire), Err(DecompressionError::Invalid { .. })));
}

#[test]
fn small_dense_bodies_pass_and_bombs_do_not() {
    let small = vec![b' '; DECOMPRESSION_FREE_BYTES];
    assert_eq!(gunzip(&gzip(&small)).unwrap(), small);
    let bomb = gzip(&vec![b' '; 8 << 20]);
    assert_eq!(gunzip(&bomb), Err(DecompressionError::TooDense { ratio_max: DECOMPRESSION_RATIO_MAX }));
    let in_members = gzip(&vec![b' '; DECOMPRESSION_FREE_BYTES]).repeat(8);
    assert_eq!(gunzip(&in_members), Err(DecompressionError::TooDense { ratio_max: DECOMPRESSION_RATIO_MAX }));
}

#[test]
fn a_body_over_the_bound_is_refused_whatever_its_ratio() {
    // Half noise, so that the ratio stays low.
    let mut state = 1_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let block: Vec<u8> = (0..1 << 20).map(|i| if i % 2 == 0 { noise() } else { b' ' }).collect();
    let wire = gzip(&block).repeat(BODY_BYTES_MAX / block.len());
    assert_eq!(gunzip(&wire).unwrap().len(), BODY_BYTES_MAX);
    let wire = [wire, gzip(b"x")].concat();
    assert_eq!(gunzip(&wire), Err(DecompressionError::TooLarge { max: BODY_BYTES_MAX }));
}

proptest! {
    #[test]
    fn what_was_compressed_comes_back(body: Vec<u8>) {
        prop_assert_eq!(gunzip(&gzip(&body)).unwrap(), body);
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut wire: Vec<u8>, with_magic: bool) {
        if with_magic {
            wire.splice(0..0, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
        }
        let _ = gunzip(&wire);
    }
}
