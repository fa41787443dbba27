//! `tipoff enforcement`

pub mod counts;
mod markdown;
mod put;
pub mod repeats;
mod report;
mod scope;
mod withdraw;

use clap::Subcommand;

use super::Global;
use super::failure::Outcome;

/// Report enforcements and add them up
#[derive(Debug, Subcommand)]
pub enum Enforcement {
    /// Report an enforcement of yours or of another
    Put(Box<put::Put>),
    /// Withdraw enforcements that you reported
    Withdraw(withdraw::Withdraw),
    /// Add up enforcements, each counted once
    Report(report::Report),
}

impl Enforcement {
    pub async fn run(self, global: &Global) -> Outcome {
        match self {
            Enforcement::Put(put) => put.run(global).await,
            Enforcement::Withdraw(withdraw) => withdraw.run(global).await,
            Enforcement::Report(report) => report.run(global).await,
        }
    }
}
