//! Multibase as keys and proofs use it: `z`, and base58 of Bitcoin's alphabet.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Longest text that is looked at: base58 takes time that grows with the square.
const LONGEST: usize = 2048;

/// The bytes; None for what is no base58, or too long.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix('z').filter(|text| text.len() <= LONGEST)?;
    // Little endian while it grows.
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        let mut carry = u32::try_from(ALPHABET.iter().position(|known| *known == byte)?).ok()?;
        for place in &mut out {
            carry += u32::from(*place) * 58;
            *place = (carry & 0xff) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            out.push((carry & 0xff) as u8);
            carry >>= 8;
        }
    }
    out.extend(text.bytes().take_while(|byte| *byte == ALPHABET[0]).map(|_| 0));
    out.reverse();
    Some(out)
}

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 3 / 2);
    for byte in bytes.iter().skip_while(|byte| **byte == 0) {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    digits.extend(bytes.iter().take_while(|byte| **byte == 0).map(|_| 0));
    let letters = digits.iter().rev().filter_map(|digit| ALPHABET.get(usize::from(*digit)));
    std::iter::once('z').chain(letters.map(|letter| char::from(*letter))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base58_is_that_of_bitcoin() {
        for (text, bytes) in [
            ("z2NEpo7TZRRrLZSi2U", b"Hello World!".as_slice()),
            ("z11233QC4", &[0, 0, 0x28, 0x7f, 0xb4, 0xcd]),
            ("z", &[]),
            ("z111", &[0, 0, 0]),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes), "{text}");
            assert_eq!(encode(bytes), text);
        }
        for text in ["", "2NEpo7TZRRrLZSi2U", "z0OIl", "zü", &format!("z{}", "6".repeat(5000))] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
