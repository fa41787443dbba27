use super::*;
use crate::domain::assessment::Verdict;
use crate::formats::{Assumed, Format, read};
const ARTICLE: &str = "Researchers found a network of sites that copied known news outlets.\n\
    It sent its visitors to quay-herald[.]example and to hxxps://pier[.]example/a, as we wrote before.\n\
    The file d41d8cd98f00b204e9800998ecf8427e was served from there for some weeks in spring.\n\
    Read more at https://blog.example/report if you want to know how the operators were found.\n\n\
    Indicators\nobserver.example\n";

#[test]
fn sentences_yield_marked_values_of_which_nothing_is_said() {
    assert!(is_prose(ARTICLE));
    let records = read(ARTICLE.as_bytes(), None).unwrap();
    let values: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.class {
            Class::Indicator(read) => Some((read.value(), record.details.verdict)),
            _ => None,
        })
        .collect();
    let unknown = Some(Verdict::Unknown);
    let expected = [
        ("quay-herald.example", unknown),
        ("https://pier.example/a", unknown),
        ("d41d8cd98f00b204e9800998ecf8427e", unknown),
        ("observer.example", unknown),
    ];
    assert_eq!(values, expected);
    assert!(records.iter().any(|record| record.class == Class::Neither(SkipReason::Reference)));
}

#[test]
fn a_verdict_that_the_user_states_counts() {
    let assumed = Assumed { verdict: Some(Verdict::Malicious), ..Assumed::default() };
    let text = b"We saw a[.]example.";
    let records = crate::formats::read_as(text, Some(Format::Text), &assumed).unwrap();
    assert_eq!(records[0].details.verdict, Some(Verdict::Malicious));
}

#[test]
fn lists_are_no_prose() {
    let lists = [
        "a.example\nb.example\nThe list above was made by hand for the exchange.\n",
        "a.example - a site of the network that copied a known outlet\nb.example - another one of those sites\n",
        "- a[.]example\n- b[.]example\n",
    ];
    for list in lists {
        assert!(!is_prose(list), "{list}");
    }
}
