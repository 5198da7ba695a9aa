use super::hex;

/// Bytes of a UUID.
pub const BYTES: usize = 16;

/// Appends a UUID in its canonical form: lower case, `8-4-4-4-12` digits.
pub fn write(uuid: &[u8; BYTES], out: &mut Vec<u8>) {
    for (index, part) in [&uuid[..4], &uuid[4..6], &uuid[6..8], &uuid[8..10], &uuid[10..]].iter().enumerate()
    {
        if index > 0 {
            out.push(b'-');
        }
        hex::write(part, out);
    }
}

/// Reads 32 hexadecimal digits in either case, perhaps in braces, with a hyphen or none behind every four.
#[must_use]
pub fn read(text: &[u8]) -> Option<[u8; BYTES]> {
    let text = match text {
        [b'{', inner @ .., b'}'] => inner,
        _ => text,
    };
    let mut uuid = [0; BYTES];
    let mut rest = text;
    for (index, byte) in uuid.iter_mut().enumerate() {
        if index > 0 && index % 2 == 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        let [high, low, after @ ..] = rest else { return None };
        *byte = hex::digit(*high)? << 4 | hex::digit(*low)?;
        rest = after;
    }
    rest.is_empty().then_some(uuid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UUID: [u8; BYTES] = 0x123e4567_e89b_12d3_a456_426655440000_u128.to_be_bytes();

    #[test]
    fn the_spellings_of_postgresql_are_read() {
        for text in [
            "123e4567-e89b-12d3-a456-426655440000",
            "123E4567-E89B-12D3-A456-426655440000",
            "123e4567e89b12d3a456426655440000",
            "{123e4567-e89b-12d3-a456-426655440000}",
            "123e-4567-e89b-12d3-a456-4266-5544-0000",
            "{123e4567e89b-12d3a456-426655440000}",
        ] {
            assert_eq!(read(text.as_bytes()), Some(UUID), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "{}",
            " 123e4567-e89b-12d3-a456-426655440000",
            "123e4567-e89b-12d3-a456-426655440000 ",
            "123e4567-e89b-12d3-a456-42665544000",
            "123e4567-e89b-12d3-a456-4266554400000",
            "123e4567--e89b-12d3-a456-426655440000",
            "12-3e4567e89b12d3a456426655440000",
            "-123e4567e89b12d3a456426655440000",
            "123e4567e89b12d3a456426655440000-",
            "{123e4567-e89b-12d3-a456-426655440000",
            "123e4567-e89b-12d3-a456-42665544000g",
            "urn:uuid:123e4567-e89b-12d3-a456-426655440000",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(uuid: [u8; BYTES]) {
            let mut text = Vec::new();
            write(&uuid, &mut text);
            prop_assert_eq!(text.len(), 36);
            prop_assert_eq!(read(&text), Some(uuid));
        }
    }
}
