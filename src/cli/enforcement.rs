//! `tipoff enforcement`

pub mod counts;
mod markdown;
mod put;
mod report;

use clap::Subcommand;

use super::Global;
use super::failure::Outcome;

/// What was done against campaigns
#[derive(Debug, Subcommand)]
pub enum Enforcement {
    /// Report what you did, or what another did
    Put(Box<put::Put>),
    /// What it all adds up to, each deed once
    Report(report::Report),
}

impl Enforcement {
    pub async fn run(self, global: &Global) -> Outcome {
        match self {
            Enforcement::Put(put) => put.run(global).await,
            Enforcement::Report(report) => report.run(global).await,
        }
    }
}
