//! Reads a cell whose kind its column or key declares.

use super::names::{self, Names};
use super::pieces::read_pieces;
use super::range;
use crate::domain::Kind;
use crate::formats::kinds::{DeclaredType, declared};
use crate::formats::{Class, SkipReason};

/// Reads a cell whose kind is declared: one value, or several if each piece is one.
pub fn read_declared(kind: &str, platform: Option<&str>, raw: &str) -> Vec<Class> {
    if kind.contains('|') {
        return read_composite(kind, platform, raw);
    }
    let is_of_addresses = || {
        matches!(
            DeclaredType::of(kind),
            Some(DeclaredType::Kind(Kind::Ip | Kind::Network, _) | DeclaredType::Detected)
        )
    };
    if let Some(networks) = range(raw).filter(|_| is_of_addresses()) {
        return networks;
    }
    let whole = declared(kind, platform, raw);
    let Class::Unreadable(_) = &whole else { return vec![whole] };
    let names = Names::of(raw);
    let read = |piece: &str| match declared(kind, platform, piece) {
        Class::Indicator(read) => Some(read).filter(names.may_be(piece)),
        _ => None,
    };
    match read_pieces(raw, read).or_else(|| names::apart_by_blanks(raw, read)) {
        Some(values) => values.into_iter().map(Class::Indicator).collect(),
        None => vec![whole],
    }
}

/// Reads a composite type of MISP, such as `filename|md5`: each part by its own kind. Parts that are not exchanged
/// (file names, ports) are left out.
fn read_composite(kind: &str, platform: Option<&str>, raw: &str) -> Vec<Class> {
    let parts = kind.split('|').zip(raw.split('|'));
    exchanged(parts.map(|(kind, value)| declared(kind, platform, value)))
}

/// The parts of a composite value that are of a kind which is exchanged. If there are none, one record says so.
pub fn exchanged(parts: impl Iterator<Item = Class>) -> Vec<Class> {
    let exchanged: Vec<_> =
        parts.filter(|part| *part != Class::Neither(SkipReason::OtherKind)).collect();
    if exchanged.is_empty() { vec![Class::Neither(SkipReason::OtherKind)] } else { exchanged }
}
