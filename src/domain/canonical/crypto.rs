//! Addresses on blockchains, as published. The checksum is verified if the chain has one.

use std::borrow::Cow;
use std::fmt::Write;

use sha3::{Digest, Keccak256};

use super::Canonical;

/// Maximum length of an address, in bytes. The longest known addresses have 106.
const MAX_ADDRESS_BYTES: usize = 160;

/// An address on a chain. Addresses with two spellings (bech32 in capitals, Ethereum without the
/// mixed-case checksum) get one.
pub fn address<'a>(chain: &str, text: &'a str) -> Canonical<'a> {
    // Decoding Base58 takes quadratic time.
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(format!("is longer than {MAX_ADDRESS_BYTES} bytes: no address is").into());
    }
    match chain {
        "bitcoin" => bech32_or_base58(text, "bc", &[0x00, 0x05]),
        "litecoin" => bech32_or_base58(text, "ltc", &[0x30, 0x32, 0x05]),
        "dogecoin" => base58(text, &[0x1e, 0x16]),
        "tron" => base58(text, &[0x41]),
        "ripple" => ripple(text),
        "ethereum" => ethereum(text),
        "solana" => solana(text),
        "monero" => monero(text),
        _ => on_unknown_chain(text),
    }
}

/// The chain of an address, if its checksum is valid on one. An Ethereum address in a single case has none.
pub fn chain_by_checksum(text: &str) -> Option<&'static str> {
    let may_be = (26..=MAX_ADDRESS_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if !may_be {
        return None;
    }
    let has_both_cases = text[2..].bytes().any(|b| b.is_ascii_uppercase())
        && text[2..].bytes().any(|b| b.is_ascii_lowercase());
    if text.starts_with("0x") {
        return (has_both_cases && ethereum(text).is_ok()).then_some("ethereum");
    }
    ["bitcoin", "litecoin", "dogecoin", "tron", "ripple"]
        .into_iter()
        .find(|chain| address(chain, text).is_ok())
}

fn bech32_or_base58<'a>(text: &'a str, prefix: &str, versions: &[u8]) -> Canonical<'a> {
    let is_bech32 = text.len() > prefix.len()
        && text.is_char_boundary(prefix.len())
        && text[..prefix.len()].eq_ignore_ascii_case(prefix)
        && text[prefix.len()..].starts_with('1');
    if !is_bech32 {
        return base58(text, versions);
    }
    match bech32::segwit::decode(text) {
        Ok((hrp, ..)) if hrp.as_str().eq_ignore_ascii_case(prefix) => {
            Ok(Cow::Owned(text.to_ascii_lowercase()))
        }
        _ => Err("is not an address of this chain: its bech32 checksum is wrong".into()),
    }
}

fn base58<'a>(text: &'a str, versions: &[u8]) -> Canonical<'a> {
    match bs58::decode(text).with_check(None).into_vec() {
        Ok(bytes) if bytes.len() == 21 && versions.contains(&bytes[0]) => Ok(Cow::Borrowed(text)),
        Ok(_) => Err("is an address of another chain".into()),
        Err(_) => Err("is not an address of this chain: its Base58 checksum is wrong".into()),
    }
}

fn ripple(text: &str) -> Canonical<'_> {
    let decoded =
        bs58::decode(text).with_alphabet(bs58::Alphabet::RIPPLE).with_check(Some(0)).into_vec();
    match decoded {
        Ok(bytes) if bytes.len() == 21 => Ok(Cow::Borrowed(text)),
        _ => Err("is not an address of this chain: its Base58 checksum is wrong".into()),
    }
}

/// EIP-55: the case of each letter is one bit of a checksum. An address in a single case has no
/// checksum.
fn ethereum(text: &str) -> Canonical<'_> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X")).unwrap_or_default();
    if !super::is_hex(digits, 40) {
        return Err("is not an address of this chain: it is not `0x` and 40 hex digits".into());
    }
    let lower = digits.to_ascii_lowercase();
    let hash = Keccak256::digest(lower.as_bytes());
    let mut checksummed = String::with_capacity(42);
    checksummed.push_str("0x");
    for (at, digit) in lower.chars().enumerate() {
        let nibble = hash[at / 2] >> (4 * (1 - at % 2)) & 0xf;
        // Writing to a string never fails.
        let _ =
            write!(checksummed, "{}", if nibble >= 8 { digit.to_ascii_uppercase() } else { digit });
    }
    let mixed = digits.bytes().any(|b| b.is_ascii_uppercase())
        && digits.bytes().any(|b| b.is_ascii_lowercase());
    if mixed && checksummed[2..] != *digits {
        return Err("is not an address of this chain: its checksum (EIP-55) is wrong".into());
    }
    Ok(Cow::Owned(checksummed))
}

fn solana(text: &str) -> Canonical<'_> {
    match bs58::decode(text).into_vec() {
        Ok(bytes) if bytes.len() == 32 => Ok(Cow::Borrowed(text)),
        _ => Err("is not an address of this chain: it is not 32 bytes in Base58".into()),
    }
}

/// Checks the form only: Monero's Base58 works on blocks, and its checksum is not verified.
fn monero(text: &str) -> Canonical<'_> {
    let base58 = |b: u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    let fits = matches!(text.len(), 95 | 106)
        && matches!(text.as_bytes()[0], b'4' | b'8')
        && text.bytes().all(base58);
    if fits {
        Ok(Cow::Borrowed(text))
    } else {
        Err("is not an address of this chain: it is not 95 or 106 characters of Base58".into())
    }
}

fn on_unknown_chain(text: &str) -> Canonical<'_> {
    let is_address = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-' | b'.');
    if (8..=128).contains(&text.len()) && text.bytes().all(is_address) {
        Ok(Cow::Borrowed(text))
    } else {
        Err("is not an address: 8 to 128 of letters, digits and `:_-.`".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Published test vectors of BIP 173, EIP-55 and the chains' documentation.
    #[test]
    fn checksums_are_verified() {
        let segwit = "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4";
        assert_eq!(address("bitcoin", segwit).unwrap(), segwit.to_ascii_lowercase());
        assert!(address("bitcoin", &segwit.replace("F3T4", "F3T5")).is_err());
        let genesis = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        assert_eq!(address("bitcoin", genesis).unwrap(), genesis);
        assert!(address("bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb").is_err());
        assert!(address("dogecoin", genesis).is_err(), "of another chain");
        let eip55 = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert_eq!(address("ethereum", eip55).unwrap(), eip55);
        assert_eq!(address("ethereum", &eip55.to_ascii_lowercase()).unwrap(), eip55);
        assert!(address("ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD").is_err());
        assert_eq!(chain_by_checksum(segwit), Some("bitcoin"));
        assert_eq!(chain_by_checksum(genesis), Some("bitcoin"));
        assert_eq!(chain_by_checksum(eip55), Some("ethereum"));
        assert_eq!(chain_by_checksum(&eip55.to_ascii_lowercase()), None, "it has no checksum");
    }
}
