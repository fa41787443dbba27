//! `tipoff campaign`

mod graph;
mod list;
mod put;
mod show;

use clap::Subcommand;

use super::Global;
use super::failure::Outcome;

/// Create, list and show campaigns
#[derive(Debug, Subcommand)]
pub enum Campaign {
    /// Create a campaign, or replace your contribution to one
    Put(Box<put::Put>),
    /// Show everything that you may see of a campaign
    Show(show::Show),
    /// List the campaigns that you may see, newest contribution first
    List,
}

impl Campaign {
    pub async fn run(self, global: &Global) -> Outcome {
        match self {
            Campaign::Put(put) => put.run(global).await,
            Campaign::Show(show) => show.run(global).await,
            Campaign::List => list::run(global).await,
        }
    }
}
