//! Numbers as people write them: `7,704`, `30 000`, `1.2K`, `3.5 million`, `two hundred and twelve`, `30-40`.

/// A number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The number. The lower bound of a range.
    pub value: u64,
    /// Whether it is hedged, a bound, or rounded to thousands, millions or dozens.
    pub is_approximate: bool,
}

/// Words in front of a number that make it approximate.
const HEDGES: &[&[&str]] = &[
    &["about"],
    &["around"],
    &["approximately"],
    &["approx"],
    &["approx."],
    &["roughly"],
    &["nearly"],
    &["almost"],
    &["over"],
    &["under"],
    &["some"],
    &["circa"],
    &["ca"],
    &["ca."],
    &["~"],
    &["≈"],
    &[">"],
    &["<"],
    &["estimated"],
    &["an", "estimated"],
    &["more", "than"],
    &["fewer", "than"],
    &["less", "than"],
    &["well", "over"],
    &["at", "least"],
    &["close", "to"],
    &["up", "to"],
    &["as", "many", "as"],
    &["between"],
];

/// Hedges in front of a number at most: `at least about 30`.
const MAX_HEDGES: usize = 3;
/// The maximum number of tokens of one number.
const MAX_TOKENS: usize = 10;
/// The maximum number of digits of one number.
const MAX_DIGITS: usize = 12;

/// Parses a number at the beginning of tokens in lower case.
pub fn number<'t, 'a>(tokens: &'t [&'a str]) -> Option<(Number, &'t [&'a str])> {
    let (mut is_approximate, mut rest) = (false, tokens);
    for _ in 0..MAX_HEDGES {
        let Some(hedge) = HEDGES.iter().find(|hedge| rest.starts_with(hedge)) else { break };
        is_approximate = true;
        rest = &rest[hedge.len()..];
    }
    let (mut number, mut rest) = cardinal(rest)?;
    number.is_approximate |= is_approximate;
    // `30 – 40`, `30 to 40`, `between 30 and 40`
    let joins_range = |word: &str| {
        matches!(word, ":" | "to" | "or") || (word == "and" && tokens.starts_with(&["between"]))
    };
    if let [word, behind @ ..] = rest
        && joins_range(word)
        && let Some((upper, behind)) = cardinal(behind)
        && upper.value > number.value
    {
        (number.is_approximate, rest) = (true, behind);
    }
    if let ["or", "so" | "more", behind @ ..] = rest {
        (number.is_approximate, rest) = (true, behind);
    }
    Some((number, rest))
}

/// Whether a token is a number in digits, or may be the beginning of one in words.
pub fn begins_number(token: &str) -> bool {
    cardinal(&[token]).is_some()
}

fn cardinal<'t, 'a>(tokens: &'t [&'a str]) -> Option<(Number, &'t [&'a str])> {
    in_digits(tokens).or_else(|| in_words(tokens))
}

/// Parses a number in digits, with a scale after it.
fn in_digits<'t, 'a>(tokens: &'t [&'a str]) -> Option<(Number, &'t [&'a str])> {
    let [first, rest @ ..] = tokens else { return None };
    let bare = first.trim_start_matches(['~', '≈', '>', '<', '±']);
    let bare = bare.strip_suffix('+').unwrap_or(bare);
    let is_marked = bare.len() < first.len();
    if let Some(range) = range(bare, rest) {
        return Some(range);
    }
    let unit = bare.trim_start_matches(|c: char| c.is_ascii_digit() || is_separator(c));
    let digits = &bare[..bare.len() - unit.len()];
    let (word_scale, behind) = match rest {
        [word, behind @ ..] if unit.is_empty() => scale(word).map_or((1, rest), |by| (by, behind)),
        _ => (1, rest),
    };
    let scale =
        if unit.is_empty() { word_scale } else { scale(unit).filter(|_| unit != "dozen")? };
    if scale > 1 {
        let value = decimal(digits, scale)?;
        return Some((Number { value, is_approximate: true }, behind));
    }
    let mut value = grouped(digits)?;
    let mut rest = behind;
    // `30 000`
    if digits.len() <= 3 && !digits.starts_with('0') {
        while let [next, behind @ ..] = rest
            && next.len() == 3
            && let Ok(thousand) = next.parse::<u64>()
            && value < 1_000_000_000
        {
            (value, rest) = (value * 1_000 + thousand, behind);
        }
    }
    Some((Number { value, is_approximate: is_marked }, rest))
}

/// Parses a range in one token: `30-40`, `10-20k`. Its lower bound counts.
fn range<'t, 'a>(token: &str, rest: &'t [&'a str]) -> Option<(Number, &'t [&'a str])> {
    let (lower, upper) = token.split_once(['-', '–', '—'])?;
    let unit = upper.trim_start_matches(|c: char| c.is_ascii_digit() || is_separator(c));
    let lower = if lower.ends_with(char::is_alphabetic) {
        lower.to_owned()
    } else {
        format!("{lower}{unit}")
    };
    let plain = |bound: &str| {
        let token = [bound];
        let token = [&token[..], rest.get(..1).unwrap_or_default()].concat();
        (!bound.contains(['-', '–', '—']))
            .then(|| in_digits(&token).map(|(number, rest)| (number.value, rest.len())))?
    };
    let (lower, _) = plain(&lower)?;
    let (upper, left) = plain(upper)?;
    // `2021-2023` are years.
    let are_years = is_year(lower) && is_year(upper);
    let used = rest.len().min(1) - left;
    (lower < upper && !are_years)
        .then(|| (Number { value: lower, is_approximate: true }, &rest[used..]))
}

/// Whether a number may be a year.
pub fn is_year(number: u64) -> bool {
    (1990..2100).contains(&number)
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | '.' | '\'' | '’')
}

fn scale(word: &str) -> Option<u64> {
    Some(match word {
        "dozen" => 12,
        "k" | "thousand" => 1_000,
        "lakh" => 100_000,
        "m" | "mn" | "mio" | "million" => 1_000_000,
        "bn" | "billion" => 1_000_000_000,
        _ => return None,
    })
}

/// Digits, or digits in groups of three: `7,704`, `7.704`, `7'704`.
fn grouped(digits: &str) -> Option<u64> {
    let plain: String = digits.chars().filter(char::is_ascii_digit).collect();
    if plain.is_empty() || plain.len() > MAX_DIGITS {
        return None;
    }
    if plain.len() < digits.len() {
        let separator = digits.chars().find(|c| is_separator(*c))?;
        let mut groups = digits.split(separator);
        let is_front = groups.next().is_some_and(|front| (1..=3).contains(&front.len()));
        if !is_front || !groups.all(|group| group.len() == 3 && group.parse::<u64>().is_ok()) {
            return None;
        }
    }
    plain.parse().ok()
}

/// A decimal number of thousands, millions or dozens: `1.2`, `1,2`, `1,200`.
fn decimal(digits: &str, scale: u64) -> Option<u64> {
    let is_fraction = |separator: char, fraction: &str| separator == '.' || fraction.len() < 3;
    if let Some(separator) = digits.chars().find(|c| matches!(c, '.' | ','))
        && let Some((whole, fraction)) = digits.split_once(separator)
        && is_fraction(separator, fraction)
    {
        let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !(1..=3).contains(&fraction.len()) || !are_digits(fraction) {
            return None;
        }
        let thousandths: u64 = format!("{fraction:0<3}").parse().ok()?;
        let whole = grouped(whole)?.checked_mul(scale)?;
        return whole.checked_add(thousandths.checked_mul(scale)? / 1_000);
    }
    grouped(digits)?.checked_mul(scale)
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// A number below 100 in one word: `seven`, `twenty`, `twenty-three`.
fn small(word: &str) -> Option<u64> {
    let unit = |word: &str| SMALL.iter().position(|name| *name == word).map(|at| at as u64);
    let tens =
        |word: &str| TENS.iter().position(|name| *name == word).map(|at| at as u64 * 10 + 20);
    unit(word).filter(|unit| *unit > 0).or_else(|| tens(word)).or_else(|| {
        let (front, behind) = word.split_once('-')?;
        Some(tens(front)? + unit(behind).filter(|unit| (1..10).contains(unit))?)
    })
}

/// Parses a number in words: `eleven`, `two hundred and twelve`, `a dozen`, `half a dozen`, `a couple of`.
fn in_words<'t, 'a>(tokens: &'t [&'a str]) -> Option<(Number, &'t [&'a str])> {
    let loose = |value| Number { value, is_approximate: true };
    match tokens {
        ["half", "a", "dozen", rest @ ..] => return Some((loose(6), rest)),
        ["a", "couple", "of", rest @ ..] | ["a", "couple", rest @ ..] => {
            return Some((loose(2), rest));
        }
        ["dozen", rest @ ..] => return Some((loose(12), rest)),
        _ => {}
    }
    let (mut total, mut current, mut used, mut ends_with_scale) = (0_u64, 0_u64, 0, false);
    while let Some(word) = tokens.get(used).filter(|_| used < MAX_TOKENS) {
        let next = tokens.get(used + 1).copied().unwrap_or_default();
        if matches!(*word, "a" | "an")
            && used == 0
            && (next == "hundred" || scale(next).is_some_and(|_| next.len() > 2))
        {
            current = 1;
        } else if let Some(below_100) = small(word)
            && fits_behind(current, below_100)
        {
            (current, ends_with_scale) = (current + below_100, false);
        } else if *word == "hundred" && (1..100).contains(&current) {
            (current, ends_with_scale) = (current * 100, false);
        } else if word.len() > 2
            && current > 0
            && let Some(scale) = scale(word)
        {
            total = total.checked_add(current.checked_mul(scale)?)?;
            (current, ends_with_scale) = (0, true);
        } else if *word == "and" && used > 0 && current % 100 == 0 && small(next).is_some() {
            // `two hundred and twelve`
            let before = tokens[used - 1];
            if before != "hundred" && scale(before).is_none() {
                break;
            }
        } else {
            break;
        }
        used += 1;
    }
    let value = total.checked_add(current)?;
    (value > 0).then(|| (Number { value, is_approximate: ends_with_scale }, &tokens[used..]))
}

/// Whether a number below 100 may follow in words: `three` does behind `twenty` and `two hundred`.
fn fits_behind(current: u64, below_100: u64) -> bool {
    let (tens, is_unit) = (current % 100, below_100 < 10);
    tens == 0 || (is_unit && tens >= 20 && tens.is_multiple_of(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(u64, bool)> {
        let tokens: Vec<&str> = text.split_whitespace().collect();
        let (number, rest) = number(&tokens)?;
        rest.is_empty().then_some((number.value, number.is_approximate))
    }

    #[test]
    fn numbers_are_read_in_digits_and_in_words() {
        let exact = [
            ("30", 30),
            ("1,200", 1_200),
            ("1.200", 1_200),
            ("1'200", 1_200),
            ("1 200", 1_200),
            ("30 000", 30_000),
            ("1,234,567", 1_234_567),
            ("eleven", 11),
            ("twenty-three", 23),
            ("twenty three", 23),
            ("two hundred", 200),
            ("two hundred and twelve", 212),
            ("one thousand two hundred and five", 1_205),
            ("a hundred", 100),
        ];
        for (text, value) in exact {
            assert_eq!(read(text), Some((value, false)), "{text}");
        }
    }

    #[test]
    fn hedged_bounded_and_rounded_numbers_are_approximate() {
        let approximate = [
            ("about 30", 30),
            ("at least 30", 30),
            ("~30", 30),
            ("30+", 30),
            ("30-40", 30),
            ("30–40", 30),
            ("30 to 40", 30),
            ("between 30 and 40", 30),
            ("10-20k", 10_000),
            ("10k-20k", 10_000),
            ("1.2k", 1_200),
            ("12k", 12_000),
            ("3.5 million", 3_500_000),
            ("3,5 million", 3_500_000),
            ("1,200 million", 1_200_000_000),
            ("1-2 million", 1_000_000),
            ("a dozen", 12),
            ("two dozen", 24),
            ("half a dozen", 6),
            ("a couple of", 2),
            ("three million", 3_000_000),
            ("30 or so", 30),
        ];
        for (text, value) in approximate {
            assert_eq!(read(text), Some((value, true)), "{text}");
        }
    }

    #[test]
    fn other_figures_are_no_numbers() {
        let others = [
            "1.2",
            "1,20",
            "12,34",
            "1.2.3.4",
            "30%",
            "$30",
            "2021-03",
            "2021-2023",
            "12th",
            "zero",
            "one two",
            "1,2000",
            "0x1f",
            "",
            "1.2.345",
            "9999999999999",
        ];
        for text in others {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
