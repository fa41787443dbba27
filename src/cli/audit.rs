//! `tipoff audit`

mod accesses;
mod deliveries;

use clap::Subcommand;

use super::Global;
use super::failure::Outcome;

pub use self::deliveries::table;

/// Show who received what
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Show which subscriptions have received a withdrawal or another end of your objects
    #[command(
        after_help = "Lists the durable subscriptions of partners who could see the object and \
                      whose filter matched it just before it ended. A reader without a durable \
                      subscription may still have it."
    )]
    Deliveries(deliveries::Deliveries),
    /// Show which of your objects liaisons have accessed, newest first
    #[command(
        after_help = "The reference of the liaison's purpose is shown if the basis of your release named \
                      it. For an object that you no longer share only the id is shown."
    )]
    Accesses(accesses::Accesses),
}

impl Audit {
    pub async fn run(&self, global: &Global) -> Outcome {
        match self {
            Audit::Deliveries(deliveries) => deliveries.run(global).await,
            Audit::Accesses(accesses) => accesses.run(global).await,
        }
    }
}
