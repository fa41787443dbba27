//! Other names of accounts: a platform's stable id, and the handles that an account had before.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use crate::domain::account::is_account;
use crate::domain::{Indicator, IndicatorId, Kind};
use crate::error::Result;
use crate::exchange::core::Caller;
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::indicator::IndicatorView;

/// The most other names of one account in an answer.
const MAX_NAMES: usize = 100;
/// The most visible assessments that are read for one account.
const MAX_ASSESSMENTS: usize = 1_000;
/// The most other names in the answer to one request, and the most visible assessments that are read for it.
const MAX_NAMES_PER_REQUEST: usize = 10_000;
const MAX_ASSESSMENTS_PER_REQUEST: usize = 20_000;

/// Other names of one account, as far as the caller may see them.
#[derive(Clone, Debug, Default)]
pub struct LinkedAccounts {
    /// The names, sorted, each with the assessments that are about it.
    pub accounts: Vec<LinkedAccount>,
    /// Whether a limit was reached: there may be more.
    pub may_have_more: bool,
}

/// Another name of an account.
#[derive(Clone, Debug)]
pub struct LinkedAccount {
    /// The name.
    pub indicator: Indicator,
    /// The newest assessment of each author that is about this name; `None` if the caller may see none.
    pub view: Option<IndicatorView>,
}

impl Queries {
    /// For each account: its other names in the assessments that the caller may see.
    ///
    /// An assessment links the account that it is about with the names in it. From the account that was asked for,
    /// links are followed once; from stable ids found in this way, once more. They are not followed on from handles,
    /// because a platform may give a handle to another account later.
    pub fn linked_accounts(
        &self,
        caller: &Caller,
        indicators: &[Indicator],
    ) -> Result<HashMap<IndicatorId, LinkedAccounts>> {
        let view = self.core.index.read()?;
        let Some(reader) = view.registry().reader(caller.partner()) else {
            return Ok(HashMap::new());
        };
        let reader_view = ReaderView::new(&view, &reader, self.core.clock.now());
        let accounts = indicators.iter().filter(|indicator| is_account(indicator.kind()));
        let mut budget =
            Budget { names: MAX_NAMES_PER_REQUEST, assessments: MAX_ASSESSMENTS_PER_REQUEST };
        let mut linked = HashMap::new();
        for account in accounts {
            if let Entry::Vacant(vacant) = linked.entry(account.id()) {
                vacant.insert(linked_to(&reader_view, account, &mut budget)?);
            }
        }
        Ok(linked)
    }
}

/// What a request may still read. Counts only what the reader may see, so that a limit reveals nothing of the rest.
struct Budget {
    names: usize,
    assessments: usize,
}

fn linked_to(
    reader_view: &ReaderView<'_>,
    account: &Indicator,
    budget: &mut Budget,
) -> Result<LinkedAccounts> {
    let allowed = budget.assessments.min(MAX_ASSESSMENTS);
    let mut search = Search { reader_view, names: BTreeSet::new(), assessments_left: allowed };
    search.follow(account.id())?;
    let is_stable_id = |name: &&Indicator| name.kind() == Kind::AccountId;
    let stable_ids: Vec<_> = search.names.iter().filter(is_stable_id).map(Indicator::id).collect();
    for id in stable_ids {
        search.follow(id)?;
    }
    search.names.remove(account);
    budget.assessments -= allowed - search.assessments_left;
    let mut names = search.names.into_iter();
    let accounts = names.by_ref().take(budget.names.min(MAX_NAMES)).map(|indicator| {
        let view = reader_view.indicator_summary(indicator.id())?;
        Ok(LinkedAccount { indicator, view })
    });
    let accounts: Vec<_> = accounts.collect::<Result<_>>()?;
    budget.names -= accounts.len();
    let may_have_more = search.assessments_left == 0 || names.next().is_some();
    Ok(LinkedAccounts { accounts, may_have_more })
}

/// A search for the names of one account.
struct Search<'a> {
    reader_view: &'a ReaderView<'a>,
    names: BTreeSet<Indicator>,
    assessments_left: usize,
}

impl Search<'_> {
    /// Adds the names in the assessments that are about `name`, and in those that name it.
    fn follow(&mut self, name: IndicatorId) -> Result<()> {
        let view = self.reader_view.view;
        for found in view.assessments(name).chain(view.assessments_naming(name)) {
            if self.assessments_left == 0 {
                break;
            }
            let (author, current) = found?;
            if !self.reader_view.may_see(&current.sharing, &author, current.version) {
                continue;
            }
            self.assessments_left -= 1;
            self.names.extend(current.assessment.other_names());
            self.names.insert(current.assessment.indicator);
        }
        Ok(())
    }
}
