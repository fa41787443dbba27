//! The wording of counts: `about 30 fake accounts on Facebook and Instagram`, `Facebook accounts: 30`.

use super::Count;
use super::metric::is_reach;
use super::number::{Number, number};
use super::words::{asset_named, is_adjective, is_description, is_filler, platform_named};

/// Words that are looked at between a number and its asset, in a label, and in a list of assets or platforms.
const MAX_WORDS: usize = 12;

/// Platforms that have Pages and groups. In `3 Facebook accounts and 2 Pages`, the Pages are on the last of these that
/// was named.
const WITH_PAGES: &[&str] = &["facebook", "linkedin", "vk", "ok"];

/// Assets and platforms that words name.
#[derive(Debug, Default)]
pub struct CountSubject {
    /// The asset. `asset` if there are several.
    pub asset: Option<&'static str>,
    /// The platforms by id.
    pub platforms: Vec<String>,
    /// Whether an asset is in the singular: `Account: 12345` is an id.
    pub is_singular: bool,
}

impl CountSubject {
    /// Reads the words of a label or a header: `Facebook accounts removed`. `None` if there is any other word.
    pub fn of(tokens: &[&str]) -> Option<Self> {
        let mut named = Self::default();
        let mut rest = tokens;
        while let [word, behind @ ..] = rest {
            if let Some(asset) = asset_named(word) {
                named.add_asset(asset);
                named.is_singular |= !word.ends_with('s');
            } else if let Some((id, behind)) = platform_named(rest) {
                named.add_platform(id);
                rest = behind;
                continue;
            } else if !is_adjective(word) && !is_filler(word) && *word != "on" {
                return None;
            }
            rest = behind;
        }
        Some(named)
    }

    fn add_asset(&mut self, asset: &'static str) {
        let is_other = self.asset.is_some_and(|known| known != asset);
        self.asset = Some(if is_other { "asset" } else { asset });
    }

    fn add_platform(&mut self, id: &str) {
        if !self.platforms.iter().any(|known| known == id) {
            self.platforms.push(id.to_owned());
        }
    }
}

/// What was read before a count, and applies to it if it names no platform or no asset.
#[derive(Debug, Default)]
pub struct Context<'a> {
    /// The platform of the procedure in the count's row.
    procedure: Option<&'a str>,
    /// The platforms of the last label. In `Facebook: 30 accounts, 2 Pages`, both counts are on Facebook.
    label: Vec<String>,
    /// The last platform that has Pages and groups.
    pages_on: Option<String>,
    /// The asset of the last count: in `12 accounts on Facebook, 4 on Instagram`, both are accounts.
    last_asset: Option<&'static str>,
    /// The asset of the last label: in `Accounts: 30 (Facebook), 12 (Instagram)`, both are accounts.
    label_asset: Option<&'static str>,
    /// The platforms in front of the verb: `YouTube terminated 30 channels`.
    subject: Vec<String>,
    /// Whether the platform of the last count was after it: `30 accounts on Facebook`.
    is_platform_behind: bool,
}

impl<'a> Context<'a> {
    /// The context of the first count in a text.
    pub fn on(procedure: Option<&'a str>) -> Self {
        Self { procedure, ..Self::default() }
    }

    /// Parses one count, with or without a label: `Facebook accounts: 30`. Returns it, whether it names its asset, and
    /// the tokens after it.
    pub fn read_labelled<'t, 'w>(
        &mut self,
        tokens: &'t [&'w str],
    ) -> Option<(Count, bool, &'t [&'w str])> {
        let Some((label, behind)) = label(tokens) else {
            return self.read_one(tokens).map(|(count, rest)| (count, true, rest));
        };
        let has_platform = !label.platforms.is_empty();
        if has_platform {
            self.label.clone_from(&label.platforms);
        }
        self.label_asset = label.asset.filter(|_| !label.is_singular);
        self.last_asset = self.label_asset.or(self.last_asset);
        if let Some((count, rest)) = self.read_one(behind) {
            return Some((count, true, rest));
        }
        let (number, rest) = number(behind)?;
        let ends = rest.first().is_none_or(|next| is_filler(next)) || super::is_reach_clause(rest);
        let is_id = label.is_singular && number.value > 1;
        if !ends || is_id || (label.asset.is_none() && !has_platform) {
            return None;
        }
        let asset = label.asset.unwrap_or("account");
        let count = Count {
            count: number.value,
            approximate: number.is_approximate,
            platforms: label.platforms,
            asset,
        };
        Some((self.completed(count), label.asset.is_some(), rest))
    }

    /// Parses one count: `[about] N [adjectives] asset [on platform [and platform]]`.
    pub fn read_one<'t, 'w>(&mut self, tokens: &'t [&'w str]) -> Option<(Count, &'t [&'w str])> {
        let (number, rest) = number(tokens)?;
        self.read_assets(number, part_of(rest))
    }

    /// Parses one asset that is joined to a count before it: `and a Group`, but not `and a group of …`.
    pub fn read_single<'t, 'w>(&mut self, tokens: &'t [&'w str]) -> Option<(Count, &'t [&'w str])> {
        let is_joining = |word: &&&str| matches!(**word, "," | "and" | "also");
        let joined = tokens.iter().take(3).take_while(is_joining).count();
        let ["a" | "an", behind @ ..] = &tokens[joined..] else { return None };
        let one = Number { value: 1, is_approximate: false };
        let (count, rest) = self.read_assets(one, behind).filter(|_| joined > 0)?;
        let asset = tokens[..tokens.len() - rest.len()].iter().find(|it| asset_named(it).is_some());
        let is_one = asset.is_some_and(|asset| !asset.ends_with('s'));
        (is_one && rest.first() != Some(&"of")).then_some((count, rest))
    }

    /// Parses what a number counts.
    fn read_assets<'t, 'w>(
        &mut self,
        number: Number,
        mut rest: &'t [&'w str],
    ) -> Option<(Count, &'t [&'w str])> {
        let mut named = CountSubject::default();
        for _ in 0..MAX_WORDS {
            let [word, behind @ ..] = rest else { return None };
            if let Some(asset) = asset_named(word) {
                named.add_asset(asset);
                rest = behind;
                break;
            }
            // `12 on Facebook, 4 on Instagram`
            if *word == "on" && platform_named(behind).is_some() {
                named.asset = Some(self.last_asset.unwrap_or("account"));
                break;
            }
            if let Some((id, behind)) = platform_named(rest) {
                named.add_platform(id);
                rest = behind;
                // `Accounts: 30 (Facebook), 12 (Instagram)`
                if self.label_asset.is_some() && ends_count(rest) {
                    named.asset = self.label_asset;
                    break;
                }
                continue;
            }
            let joins = matches!(*word, "," | "and")
                && (platform_named(behind).is_some() || behind.first().is_some_and(is_description));
            if !joins && !is_description(word) {
                return None;
            }
            rest = behind;
        }
        named.asset?;
        rest = joint_assets(&mut named, rest);
        let has_platform = !named.platforms.is_empty();
        rest = platforms_behind(&mut named, rest);
        self.is_platform_behind = !has_platform && !named.platforms.is_empty();
        // `30 accounts: 12 on Facebook, 18 on Instagram`: the parts are counted, and not their sum.
        if rest.first() == Some(&":") {
            return None;
        }
        let count = Count {
            count: number.value,
            approximate: number.is_approximate,
            platforms: named.platforms,
            asset: named.asset?,
        };
        Some((self.completed(count), rest))
    }

    /// Sets the platform in front of the verb of a sentence, if there is one: `YouTube terminated 30 channels`.
    pub fn begin_sentence(&mut self, subject: Option<&str>) {
        self.subject = subject.map(str::to_owned).into_iter().collect();
    }

    /// Gives the platform after the last count to those in front of it without one: `30 accounts and 2 Pages on
    /// Facebook`. But `30 accounts, and 12 accounts on Instagram` leaves the first ones open.
    pub fn spread_platform(&self, counts: &mut [Count]) {
        let Some((last, earlier)) = counts.split_last_mut().filter(|_| self.is_platform_behind)
        else {
            return;
        };
        let open = earlier.iter().rev().take_while(|count| count.platforms.is_empty()).count();
        let start = earlier.len() - open;
        let open = &mut earlier[start..];
        if open.iter().all(|count| count.asset != last.asset) {
            for count in open {
                count.platforms.clone_from(&last.platforms);
            }
        }
    }

    /// Adds the platform of the context to a count that names none.
    fn completed(&mut self, mut count: Count) -> Count {
        self.last_asset = Some(count.asset);
        let on_pages = || self.pages_on.clone().filter(|_| matches!(count.asset, "page" | "group"));
        let stated = [&self.label, &self.subject].into_iter().find(|all| !all.is_empty());
        if let Some(stated) = stated.filter(|_| count.platforms.is_empty()) {
            // `Facebook and Instagram: 12 Facebook accounts, 4 Pages`
            let pages_on = on_pages().filter(|on| stated.len() > 1 && stated.contains(on));
            count.platforms = pages_on.map_or_else(|| stated.clone(), |on| vec![on]);
        } else if count.platforms.is_empty() {
            let before = self.procedure.map(str::to_owned).or_else(on_pages);
            count.platforms.extend(before);
        }
        if let [only] = count.platforms.as_slice()
            && WITH_PAGES.contains(&only.as_str())
        {
            self.pages_on = Some(only.clone());
        }
        count
    }
}

/// Skips what a count is a part of: `30 of the 120 accounts` are 30 accounts.
fn part_of<'t, 'a>(tokens: &'t [&'a str]) -> &'t [&'a str] {
    let behind = match tokens {
        ["of", "the" | "these" | "those" | "its" | "their", behind @ ..] => behind,
        ["of", behind @ ..] if number(behind).is_some() => behind,
        _ => return tokens,
    };
    number(behind).map_or(behind, |(_, behind)| behind)
}

/// Whether a count is complete in front of tokens.
fn ends_count(tokens: &[&str]) -> bool {
    match tokens {
        [] => true,
        ["," | "and", behind @ ..] => behind.is_empty() || number(behind).is_some(),
        _ => false,
    }
}

/// Reads the label in front of a count: `Facebook accounts:`.
fn label<'t, 'a>(tokens: &'t [&'a str]) -> Option<(CountSubject, &'t [&'a str])> {
    let end = tokens.iter().take(MAX_WORDS).position(|token| *token == ":")?;
    let named = CountSubject::of(&tokens[..end]).filter(|_| end > 0)?;
    Some((named, &tokens[end + 1..]))
}

/// Reads further assets of one count: `30 accounts, Pages and groups`.
fn joint_assets<'t, 'a>(named: &mut CountSubject, mut rest: &'t [&'a str]) -> &'t [&'a str] {
    for _ in 0..MAX_WORDS {
        let separators =
            rest.iter().take(2).take_while(|word| matches!(**word, "," | "and" | "or"));
        let mut behind = &rest[separators.count()..];
        if behind.len() == rest.len() {
            break;
        }
        let mut platform = None;
        if let Some((id, after)) = platform_named(behind) {
            (platform, behind) = (Some(id), after);
        }
        let [word, after @ ..] = behind else { break };
        let Some(asset) = asset_named(word).filter(|_| after.first() != Some(&":")) else { break };
        named.add_asset(asset);
        if let Some(id) = platform {
            named.add_platform(id);
        }
        rest = after;
    }
    rest
}

/// Reads platforms after an asset: `on Facebook and Instagram`.
fn platforms_behind<'t, 'a>(named: &mut CountSubject, rest: &'t [&'a str]) -> &'t [&'a str] {
    // `30 accounts were removed from Facebook`, `30 accounts were suspended by X`
    let is_verb = |word: &&&str| is_filler(word) && !matches!(**word, "," | "and" | "in");
    let verbs = rest.iter().take(MAX_WORDS).take_while(is_verb).count();
    let behind = match &rest[verbs..] {
        ["on" | "from" | "across", behind @ ..] => behind,
        ["by", behind @ ..] if verbs > 0 => behind,
        _ => return rest,
    };
    let Some((id, mut rest)) = platform_named(behind) else { return rest };
    named.add_platform(id);
    for _ in 0..MAX_WORDS {
        let separators = rest.iter().take(2).take_while(|word| matches!(**word, "," | "and"));
        let behind = &rest[separators.count()..];
        // In "… on Facebook and X: 3" the platform is the label of what follows.
        let Some((id, after)) = platform_named(behind) else { break };
        if after.first() == Some(&":") {
            break;
        }
        named.add_platform(id);
        rest = after;
    }
    rest
}

/// Whether all tokens are about how many people were reached: `with 5,000 followers`, `followed by 40,000 accounts`.
pub fn is_reach_clause(tokens: &[&str]) -> bool {
    let is_link = |word: &&&str| {
        is_filler(word)
            || matches!(**word, "with" | "having" | "that" | "had" | "combined" | "reaching")
    };
    let rest = &tokens[tokens.iter().take_while(is_link).count()..];
    let (is_followed, rest) = match rest {
        ["followed" | "joined" | "liked", "by", rest @ ..] => (true, rest),
        _ => (false, rest),
    };
    let Some((_, rest)) = number(rest) else { return false };
    let [word, rest @ ..] = rest else { return false };
    let is_reached = is_reach(word) || (is_followed && asset_named(word).is_some());
    is_reached && rest.iter().all(|word| is_filler(word))
}
