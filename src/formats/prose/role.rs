//! The role of a value in a sentence: of the attacker, of others, or of who wrote the text.

use super::own_phrases::{
    IMPERATIVES, KEY_PHRASES, LABELS_OF_BOTH, MAX_OWN_DISTANCE, NOTICES, OWN, OWN_LABELS,
    OWN_NOUNS, OWN_THINGS, REPORTS,
};
use super::phrases::{
    AUXILIARIES, CLAUSE_BOUNDARIES, COPY_NOUNS, COPY_PARTICIPLES, JOINING, LURE_WORDS, NEGATIONS,
    READERS, ROLES_AFTER, ROLES_BEFORE, USES,
};
use crate::domain::Kind;
use crate::domain::assessment::{Involvement, Verdict};
use crate::formats::details::words::verdict_of_heading;
use crate::formats::involvement::involvement_of;
use crate::formats::kinds::excluded::FINGERPRINTS;
use crate::formats::wording::{begins_with, has_word, rfind_phrase, words};

/// The role of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The default: the text states no other role.
    Reported,
    /// It is somebody else's: imitated, quoted, hosting, compromised.
    Other(Involvement),
    /// The text says that it is not malicious.
    Harmless,
    /// It is an address of the author, a help desk or a recipient of the report, or a source. It accuses nobody.
    Bystander,
}

/// What a text states about a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// Its involvement.
    pub involvement: Option<Involvement>,
    /// The verdict on it.
    pub verdict: Option<Verdict>,
}

impl Stated {
    /// What a remark on a value states: `compromised`, `benign`.
    pub fn of_remark(remark: &str) -> Self {
        Self { involvement: involvement_of(remark), verdict: verdict_of_heading(remark) }
    }

    /// What is stated here, or else there.
    pub fn or(self, other: Self) -> Self {
        let (involvement, verdict) = (other.involvement, other.verdict);
        Self { involvement: self.involvement.or(involvement), verdict: self.verdict.or(verdict) }
    }
}

impl Role {
    /// What the role states about a value. `None` if the value is nobody's.
    pub fn stated(self) -> Option<Stated> {
        Some(match self {
            Role::Reported => Stated::default(),
            Role::Other(involvement) => Stated { involvement: Some(involvement), verdict: None },
            Role::Harmless => Stated { involvement: None, verdict: Some(Verdict::NonMalicious) },
            Role::Bystander => return None,
        })
    }
}

/// Bytes in front of a value and after it in which words about it are looked for.
const MAX_BEFORE: usize = 160;
const MAX_BEHIND: usize = 80;

/// The role of a value by the words of its sentence around it. `before` reaches from the value before it or the
/// beginning of the sentence, and `behind` to the next value or its end. After `From:`, what is defanged is reported.
pub fn role(before: &str, behind: &str, kind: Kind, is_defanged: bool) -> Role {
    let before = cut_front(without_clause(before), MAX_BEFORE).to_lowercase();
    let front = words(&before);
    if is_own(&before, &front, kind, is_defanged) {
        return Role::Bystander;
    }
    let behind = cut_end(behind, MAX_BEHIND).to_lowercase();
    let is_in_brackets = before.ends_with('(');
    let stated_before = || stated_before(&front, is_in_brackets);
    if let Some(role) = stated_behind(&words(&behind)).or_else(stated_before) {
        // What lies at a path of a host was put there by the attacker.
        let is_path = role == Role::Other(Involvement::AbusedService) && kind == Kind::Url;
        return if is_path { Role::Reported } else { role };
    }
    if is_own_thing(&front) { Role::Bystander } else { Role::Reported }
}

/// The role of what an introduction leads to, by its words in front of `these sites` and after it.
pub fn role_of_introduced(front: &[&str], behind: &[&str]) -> Role {
    let has_early = |words: &[&str], any: &[&str]| has_word(&words[..words.len().min(3)], any);
    // `Victims visited these sites every day`, but not `Victims were sent to these sites`
    let is_visited = has_early(front, READERS) && has_word(front, USES);
    let is_theirs = behind.first() == Some(&"of") && has_early(behind, READERS);
    if is_visited || is_theirs {
        return Role::Other(Involvement::Victim);
    }
    // `We informed these hosts`
    let points = |word: &&&str| matches!(**word, "the" | "these" | "those" | "following");
    let verb = front.iter().rev().find(|word| !points(word));
    let is_notice = verb.is_some_and(|word| NOTICES.contains(word));
    if is_notice && has_word(front, &["we", "i"]) {
        return Role::Bystander;
    }
    stated_behind(behind).or_else(|| stated_before(front, false)).unwrap_or(Role::Reported)
}

/// Whether the words between two values give the second the role of the first: `staff of a.example and of b.example`,
/// `hosted by a.example behind b.example`.
pub fn joins(between: &str, first: Role) -> bool {
    let lower = between.to_lowercase();
    let words = words(&lower);
    let is_join = words.iter().all(|word| JOINING.contains(word))
        && (words.is_empty() || has_word(&words, &["and", "or"]));
    let is_proxy = first == Role::Other(Involvement::AbusedService) && words == ["behind"];
    (is_join || is_proxy) && between.len() < MAX_BEFORE
}

/// The text in front of a value without a clause about the value before it: `, which is the real site, `, `, a legitimate
/// service, `.
fn without_clause(before: &str) -> &str {
    let clause = before.trim_start().strip_prefix(", ");
    let is_about_last = |clause: &&str| {
        let begins = |word: &&str| clause.starts_with(*word);
        ["which ", "who ", "that ", "whose ", "a ", "an ", "the "].iter().any(begins)
    };
    let behind = clause.filter(is_about_last).and_then(|clause| clause.rsplit_once(", "));
    behind.map_or(before, |(_, behind)| behind)
}

fn is_own(before: &str, words: &[&str], kind: Kind, is_defanged: bool) -> bool {
    // A digest is no address: only that of a key is the author's.
    let is_digest = kind.is_file_digest();
    let line = before.rsplit(['\n', '(']).next().unwrap_or_default();
    let is_of_both = has_label(line, LABELS_OF_BOTH);
    if !is_digest && (is_of_both || has_label(line, OWN_LABELS)) {
        return !(is_defanged && is_of_both);
    }
    let names_own = |phrase: &&str| {
        let length = phrase.split(' ').count();
        rfind_phrase(words, phrase).is_some_and(|at| {
            let is_near = words.len() - at - length <= MAX_OWN_DISTANCE;
            let is_ours = !OWN_NOUNS.contains(phrase) || is_addressed(words, at);
            is_near && is_ours
        })
    };
    let own: &[&[&str]] = if is_digest { &[KEY_PHRASES, FINGERPRINTS] } else { &[OWN, OWN_NOUNS] };
    let is_notified = !is_digest && (is_recipient(words) || words.last() == Some(&"see"));
    // `Victims were asked to contact us at …` is a lure, but not `we asked …`
    let is_by_author = is_notice(words);
    let is_of_lure =
        |word: &&str| LURE_WORDS.contains(word) && !(is_by_author && NOTICES.contains(word));
    (is_notified || own.iter().copied().flatten().any(names_own)) && !words.iter().any(is_of_lure)
}

/// Whether a sentence addresses the reader about the noun at a place: `For questions, …`, but not `It asks questions and …`.
fn is_addressed(words: &[&str], at: usize) -> bool {
    at == 0
        || matches!(words[at - 1], "for" | "any" | "our")
        || IMPERATIVES.contains(&words[0])
        || has_word(words, &["us", "our", "please", "you", "your"])
}

/// Whether a report was sent to the address, or is to be sent there: `we informed a.example`, `Forward it to …`.
fn is_recipient(words: &[&str]) -> bool {
    let ends_with_to = matches!(words.last(), Some(&("to" | "at" | "via")));
    let is_imperative = words.first().is_some_and(|first| IMPERATIVES.contains(first));
    (is_imperative && ends_with_to)
        || is_notice(words)
        || (ends_with_to && is_by_author(words, REPORTS))
}

/// Whether the author told somebody of the report: `we informed`.
fn is_notice(words: &[&str]) -> bool {
    let last = &words[words.len().saturating_sub(3)..];
    has_word(last, NOTICES) && is_by_author(words, NOTICES)
}

/// Whether the author did something: `we have reported`.
fn is_by_author(words: &[&str], verbs: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let behind = &words[at + 1..words.len().min(at + 4)];
        matches!(*word, "we" | "i") && has_word(behind, verbs)
    })
}

/// Whether the address is of something of the author's: `our customer portal at …`.
fn is_own_thing(words: &[&str]) -> bool {
    let near = &words[words.len().saturating_sub(6)..];
    let our = near.iter().position(|word| *word == "our");
    our.is_some_and(|at| has_word(&near[at..], OWN_THINGS))
}

/// Words of a name in front of an address: `From: A Name <a@b.example>`.
const MAX_NAME_WORDS: usize = 3;

/// Whether the beginning of a line in lower case is one of some labels: `Reported by:`.
fn has_label(line: &str, labels: &[&str]) -> bool {
    let Some((label, name)) = line.split_once(':') else { return false };
    words(name).len() <= MAX_NAME_WORDS && labels.contains(&words(label).join(" ").as_str())
}

fn stated_before(words: &[&str], is_in_brackets: bool) -> Option<Role> {
    ROLES_BEFORE.iter().find_map(|(phrase, within, role)| {
        let at = rfind_phrase(words, phrase)?;
        let behind = &words[at + phrase.split(' ').count()..];
        let is_name = *within == 0 && is_in_brackets && behind.len() <= MAX_NAME_WORDS;
        let is_near = behind.len() <= *within || is_name;
        // `imitated by a.example`, `imitates outlets and leads to a.example`
        let is_reversed = has_word(behind, CLAUSE_BOUNDARIES)
            || matches!(behind.first(), Some(&("at" | "looking")));
        let is_copy = COPY_PARTICIPLES.contains(phrase) && has_word(behind, COPY_NOUNS);
        // `our customer portal`
        let is_ours = phrase.starts_with("our ") && has_word(behind, OWN_THINGS);
        let is_negated = at.checked_sub(1).is_some_and(|at| NEGATIONS.contains(&words[at]));
        (is_near && !is_reversed && !is_copy && !is_ours && !is_negated).then_some(*role)
    })
}

fn stated_behind(words: &[&str]) -> Option<Role> {
    let linked = words.iter().take_while(|word| AUXILIARIES.contains(word)).count();
    let rest = &words[linked..];
    let is_stated = |(phrase, _): &&(&str, Role)| begins_with(rest, phrase);
    let (phrase, role) = ROLES_AFTER.iter().find(is_stated)?;
    // `We blocked a.example by mistake`
    let is_linked = linked > 0 || matches!(*phrase, "by mistake" | "in error");
    // `a.example, a cloned site`, `a.example was cloned from …`
    let next = rest.get(phrase.split(' ').count()).copied().unwrap_or_default();
    let is_copy = COPY_NOUNS.contains(&next) && COPY_PARTICIPLES.contains(phrase);
    // `a.example, which imitated a bank`
    let link = words[..linked].iter().rfind(|word| **word != "also");
    let is_active = matches!(link, Some(&("which" | "that" | "who" | "has" | "had" | "have")));
    (is_linked && !is_copy && !is_active && !matches!(next, "from" | "looking" | "at"))
        .then_some(*role)
}

fn cut_front(text: &str, most: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(most))..]
}

fn cut_end(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use Involvement::{AbusedService, ThirdParty, Victim};

    use super::*;

    /// The role of `@` in a sentence.
    fn of(sentence: &str) -> Role {
        let (before, behind) = sentence.split_once('@').unwrap();
        role(before, behind, Kind::Domain, false)
    }

    #[test]
    fn words_around_a_value_state_its_role() {
        let table = [
            ("It used @ to", Role::Reported),
            ("The site is a lookalike of @", Role::Other(Victim)),
            ("It spoofed the bank @", Role::Other(Victim)),
            ("The spoofed domain @ went online", Role::Reported),
            ("a cloned site at @", Role::Reported),
            ("It cloned @", Role::Other(Victim)),
            ("@ was cloned from", Role::Reported),
            ("@, which was impersonated,", Role::Other(Victim)),
            ("was impersonated by @", Role::Reported),
            ("The network amplified stories from @", Role::Other(ThirdParty)),
            ("Posts quoted @", Role::Other(ThirdParty)),
            ("The kit was hosted on @", Role::Other(AbusedService)),
            ("the legitimate site @", Role::Other(ThirdParty)),
            ("@ is a legitimate outlet", Role::Other(ThirdParty)),
            ("For questions, contact us at @", Role::Bystander),
            ("Report phishing to @", Role::Bystander),
            ("If you received it, forward it to the help desk at @", Role::Bystander),
            ("Victims were told to contact us at @", Role::Reported),
            ("Our analysis of @", Role::Reported),
            ("Our team found that the network amplified articles from @", Role::Other(ThirdParty)),
            ("It imitates the carrier Harbour Post (@)", Role::Other(Victim)),
            ("It imitates outlets and leads to @", Role::Reported),
            ("We also informed @", Role::Bystander),
            ("We reported the site to @", Role::Bystander),
            ("We reported @", Role::Reported),
            ("Forward suspicious mails to 555-0100 or to @", Role::Bystander),
            ("The link leads to our own login page, @", Role::Bystander),
            ("Reported by: @", Role::Bystander),
            ("Read more on our blog, @", Role::Bystander),
            ("The site asks three questions and then opens @", Role::Reported),
            ("For any questions or feedback: @", Role::Bystander),
            ("@, which imitated a bank,", Role::Reported),
            ("It pretends to be @", Role::Other(Victim)),
            ("Mails went to staff of @", Role::Other(Victim)),
            ("to the legitimate site of the bank (@)", Role::Other(Victim)),
            ("a legitimate looking site, @", Role::Reported),
            ("It was registered at @", Role::Other(AbusedService)),
            ("This file is not related to @", Role::Bystander),
            ("@, which had been imitated,", Role::Other(Victim)),
            ("@ is not malicious", Role::Harmless),
            ("@ was blocked by mistake", Role::Harmless),
            ("a harmless looking site, @", Role::Reported),
            ("Our customer Harbour Bank (@) got mails", Role::Other(Victim)),
            ("Log in to our customer portal at @", Role::Bystander),
            ("Unlike the bank @", Role::Other(Victim)),
            (", which is the real site of the bank, @", Role::Reported),
            (", a legitimate service, it called @", Role::Reported),
            (", a lookalike of @", Role::Other(Victim)),
            ("It was found by @", Role::Bystander),
            ("It copied articles from @", Role::Other(ThirdParty)),
            ("and sent mails through @", Role::Other(AbusedService)),
            ("The registrar is @", Role::Other(AbusedService)),
            ("We asked @", Role::Bystander),
            ("Our partner Harbour Lab (@)", Role::Bystander),
            ("There is no connection to @", Role::Bystander),
            ("@ by mistake", Role::Harmless),
            ("The campaign targeted @", Role::Other(Victim)),
            ("@ is targeted at voters", Role::Reported),
            ("The registrar suspended @", Role::Reported),
            ("Our customer reported @", Role::Reported),
            ("It used a bulletproof hosting provider, @", Role::Reported),
            ("It abused the legitimate file host @", Role::Other(AbusedService)),
        ];
        for (sentence, role) in table {
            assert_eq!(of(sentence), role, "{sentence}");
        }
    }

    #[test]
    fn what_is_defanged_behind_a_label_of_mail_is_reported() {
        for label in ["From: A Bank <", "Reply-To: ", "Website: ", "Sender: "] {
            assert_eq!(role(label, "", Kind::Domain, true), Role::Reported, "{label}");
            assert_eq!(role(label, "", Kind::Domain, false), Role::Bystander, "{label}");
        }
        assert_eq!(role("Reported by: ", "", Kind::Domain, true), Role::Bystander);
    }
}
