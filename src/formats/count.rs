//! Counts of removed assets, such as `7,704 Facebook accounts`, and figures that are not counts.

mod metric;
mod number;
mod phrase;
mod prose;
mod table;
mod words;

pub use self::metric::{is_figure, is_unread_count, metric};
use self::phrase::{Context, is_reach_clause};
pub use self::prose::{in_prose, is_about_removals};
pub use self::table::{CountTable, SAMPLED_ROWS, unread_count};
use self::words::{is_date, is_filler, parts, tokens, without_parts};

/// A count of removed assets in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The number. The lower bound of a range.
    pub count: u64,
    /// Whether the number is approximate: `about 30`, `30-40`, `1.2K`, `a dozen`.
    pub approximate: bool,
    /// Platforms by id, from the wording or else from the procedure. Empty if unknown.
    pub platforms: Vec<String>,
    /// Kind of asset: `account`, `page`, `group` …
    pub asset: &'static str,
}

impl Count {
    /// The asset with its platforms: `facebook_account`, `facebook+instagram_account`.
    pub fn kind(&self) -> String {
        match self.platforms.as_slice() {
            [] => self.asset.to_owned(),
            platforms => format!("{}_{}", platforms.join("+"), self.asset),
        }
    }
}

/// The platform of a procedure of the online operations kill chain (`0.9.1` …).
pub fn platform_of_procedure(procedure: &str) -> Option<&'static str> {
    Some(match procedure {
        "0.9.1" => "facebook",
        "0.9.2" => "instagram",
        "0.9.3" => "threads",
        "0.9.4" => "x",
        "0.9.5" => "youtube",
        "0.9.6" => "tiktok",
        "0.9.7" => "telegram",
        _ => return None,
    })
}

/// Whether the cells of a procedure of the online operations kill chain are assets or counts of them (`0.9.…`).
pub fn is_about_assets(procedure: &str) -> bool {
    procedure.starts_with("0.9.")
}

/// The longest text that is read as counts, in bytes. Longer cells are sentences.
const MAX_BYTES: usize = 400;

/// From this size on, a number is an id and not a count.
const MAX_COUNT: u64 = 1_000_000_000;
/// From this size on, a number may be an id if only a platform stands before it: `Telegram: 1234567`.
const MIN_ID: u64 = 100_000;

/// Parses a text that consists only of counts, joined by commas and "and". `None` if it says
/// anything else: a number of accounts that followed a page is reach.
pub fn read(text: &str, platform: Option<&str>) -> Option<Vec<Count>> {
    let counts = read_all(text, platform)?;
    let counts: Vec<Count> = counts.into_iter().filter(|count| count.count > 0).collect();
    (!counts.is_empty()).then_some(counts)
}

/// Like [`read`], with counts of zero.
fn read_all(text: &str, platform: Option<&str>) -> Option<Vec<Count>> {
    let text = text.trim();
    // Most lines are one value.
    if !text.contains(char::is_whitespace) || text.len() > MAX_BYTES {
        return None;
    }
    let lower = without_parts(&text.to_lowercase());
    let tokens = tokens(&lower);
    let mut context = Context::on(platform);
    let mut rest = tokens.as_slice();
    let (mut counts, mut names_asset) = (Vec::<Count>::new(), false);
    // The asset of the count whose parts are read.
    let mut whole = None;
    loop {
        if !counts.is_empty() && is_date(rest) {
            break;
        }
        if let (Some(last), Some(behind)) = (counts.last(), parts(rest)) {
            (whole, rest) = (Some(last.asset), behind);
        }
        let single = Some(rest).filter(|_| !counts.is_empty());
        let read = single.and_then(|it| context.read_single(it));
        let (count, has_asset, remaining) = if let Some((count, remaining)) = read {
            (count, true, remaining)
        } else {
            rest = skip_fillers(rest);
            if rest.is_empty() || (!counts.is_empty() && is_reach_clause(rest)) {
                break;
            }
            context.read_labelled(rest)?
        };
        names_asset |= has_asset;
        rest = remaining;
        if whole != Some(count.asset) {
            counts.push(count);
            context.spread_platform(&mut counts);
        }
    }
    if counts.iter().any(|count| count.count >= MAX_COUNT) {
        return None;
    }
    // `Telegram: 123` is no count by itself, and `Telegram: 1234567, VK: 7654321` are ids.
    let is_stated = names_asset || platform.is_some();
    let may_be_ids = counts.len() < 2 || counts.iter().any(|count| count.count >= MIN_ID);
    (!counts.is_empty() && (is_stated || !may_be_ids)).then_some(counts)
}

fn skip_fillers<'t, 'a>(tokens: &'t [&'a str]) -> &'t [&'a str] {
    let skipped = tokens.iter().take_while(|token| is_filler(token)).count();
    &tokens[skipped..]
}

#[cfg(test)]
mod tests;
