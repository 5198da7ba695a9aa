/// Appends bytes as lower-case hexadecimal digits, two for each.
pub fn write(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)]));
}

/// Appends the bytes that these digits stand for, in either case; `None` if they are not digits or an odd number.
///
/// What was appended before the digit at fault stays.
#[must_use]
pub fn read(digits: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    for [high, low] in pairs {
        out.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(())
}

/// The value of one digit, in either case.
pub(super) fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back_in_either_case(bytes: Vec<u8>) {
            let mut text = Vec::new();
            write(&bytes, &mut text);
            for text in [text.clone(), text.to_ascii_uppercase()] {
                let mut read_back = Vec::new();
                prop_assert_eq!(read(&text, &mut read_back), Some(()));
                prop_assert_eq!(&read_back, &bytes);
            }
        }
    }

    #[test]
    fn odd_and_other_digits_are_refused() {
        for text in ["0", "0g", "g0", "0x", "0 ", " 0"] {
            assert_eq!(read(text.as_bytes(), &mut Vec::new()), None, "{text}");
        }
    }
}
