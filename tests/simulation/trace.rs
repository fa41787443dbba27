//! The observations of a partner, and their comparison.

use std::collections::{BTreeMap, BTreeSet};

use tipoff::domain::Position;

/// One observation: its text without positions, and its positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub text: String,
    pub positions: Vec<Position>,
}

/// Everything that one partner observed, in order.
pub type Trace = Vec<Observed>;

pub fn observation(text: &str, positions: impl Into<Vec<Position>>) -> Observed {
    Observed { text: text.into(), positions: positions.into() }
}

/// The difference between what was observed with and without a hidden object, up to
/// order-preserving renumbering.
pub fn difference(with: &Trace, without: &Trace) -> Option<String> {
    let (with, without) = (renumbered(with), renumbered(without));
    if with == without {
        return None;
    }
    let differs = with.iter().zip(&without).find(|(a, b)| a != b);
    Some(format!("{} things with it and {} without; first {differs:?}", with.len(), without.len()))
}

/// The trace with each sequence replaced by its rank.
fn renumbered(trace: &Trace) -> Vec<(String, Vec<(usize, u32)>)> {
    let sequences: BTreeSet<u64> =
        trace.iter().flat_map(|observed| &observed.positions).map(|at| at.sequence).collect();
    let rank: BTreeMap<u64, usize> = sequences.into_iter().zip(0..).collect();
    let number = |at: &Position| (rank[&at.sequence], at.index);
    let renumber = |observed: &Observed| {
        (observed.text.clone(), observed.positions.iter().map(number).collect())
    };
    trace.iter().map(renumber).collect()
}
