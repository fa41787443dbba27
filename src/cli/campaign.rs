//! `tipoff campaign`

mod graph;
mod list;
mod put;
mod show;

use clap::Subcommand;

use super::Global;
use super::failure::Outcome;

/// Coordinated operations, and what each partner says of them
#[derive(Debug, Subcommand)]
pub enum Campaign {
    /// Found a campaign, or say what one is
    Put(Box<put::Put>),
    /// Everything that you may see of one
    Show(show::Show),
    /// The campaigns that you may see, the one with the newest word first
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
