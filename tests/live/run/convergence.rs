//! The end of a history: what readers hold is compared with what queries give.

use std::time::Duration;

use tipoff::clock::{Clock, SystemClock};

use super::{Run, SETTLED};
use crate::history::Op;
use crate::queries::{current, observe};
use crate::trace::observation;
use crate::walker::versions;

impl Run<'_> {
    /// Ends all suspensions, and reads to the end. Then every reader has to hold what a query
    /// returns. Returns the number of items that connected readers received.
    pub(super) async fn end(&mut self) -> Result<usize, String> {
        for partner in 0..5 {
            self.administer(&Op::Resume { partner }, None).await;
        }
        let settled = self.last_end.plus(SETTLED);
        while let Err(differs) = self.converge().await {
            if SystemClock.now() > settled {
                return Err(differs);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut count = 0;
        for follower in &self.followers {
            let items = follower.received();
            count += items.len();
            let partner = follower.spec.partner;
            items.iter().try_for_each(|item| self.ledger.check_ever(partner, item))?;
        }
        observe(&self.exchange.client(self.observer), &mut self.trace).await;
        Ok(count)
    }

    async fn converge(&mut self) -> Result<(), String> {
        for reader in 0..self.walkers.len() {
            self.read(reader as u8, usize::MAX, reader % 2 == 0, None).await?;
            let spec = self.walkers[reader].spec;
            let client = self.exchange.client(spec.partner);
            let walked = versions(&self.walkers[reader].held);
            let followed = versions(&self.followers[reader].caught_up(&client).await?);
            let current = current(spec, &client, &self.ledger, self.plan.is_timeless).await?;
            for (how, held) in [("walks", &walked), ("follows", &followed)] {
                if *held != current {
                    let lacks: Vec<_> = current.difference(held).collect();
                    let keeps: Vec<_> = held.difference(&current).collect();
                    return Err(format!("{spec:?} {how}, lacks {lacks:?} and keeps {keeps:?}"));
                }
            }
            if spec.partner == self.observer {
                let held = current.into_iter().collect::<Vec<_>>();
                self.trace.push(observation(&format!("reader {reader} holds"), held));
            }
        }
        Ok(())
    }
}
