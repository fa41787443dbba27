//! The words of a text, and phrases in them.

/// The words of a text in lower case. Whatever is no letter and no digit stands between words.
pub fn words(lower: &str) -> Vec<&str> {
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// The place of the first occurrence of a phrase, such as `look alike of`.
pub fn find_phrase(words: &[&str], phrase: &str) -> Option<usize> {
    places(words, phrase).next()
}

/// The place of the last occurrence of a phrase.
pub fn rfind_phrase(words: &[&str], phrase: &str) -> Option<usize> {
    places(words, phrase).last()
}

/// Whether words begin with a phrase.
pub fn begins_with(words: &[&str], phrase: &str) -> bool {
    let mut words = words.iter();
    phrase.split(' ').all(|part| words.next() == Some(&part))
}

/// Whether one of some phrases occurs.
pub fn has_phrase(words: &[&str], phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| find_phrase(words, phrase).is_some())
}

/// Whether one of some words occurs.
pub fn has_word(words: &[&str], any: &[&str]) -> bool {
    words.iter().any(|word| any.contains(word))
}

fn places(words: &[&str], phrase: &str) -> impl Iterator<Item = usize> {
    let windows = words.windows(phrase.split(' ').count()).enumerate();
    let is_phrase = |window: &[&str]| window.iter().copied().eq(phrase.split(' '));
    windows.filter(move |(_, window)| is_phrase(window)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_by_whole_words() {
        let words = words("a look-alike of it, and one more look alike of it");
        assert_eq!(find_phrase(&words, "look alike of"), Some(1));
        assert_eq!(rfind_phrase(&words, "look alike of"), Some(8));
        assert!(has_phrase(&words, &["none", "one more"]) && !has_phrase(&words, &["like of"]));
        assert!(begins_with(&words, "a look") && !begins_with(&words, "a look of"));
        assert!(has_word(&words, &["alike"]) && !has_word(&words, &["ali"]));
    }
}
