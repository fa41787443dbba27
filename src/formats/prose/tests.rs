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

/// Messages as people copy them: two or three lines.
const MESSAGES: [&str; 4] = [
    "heads up: new C2 at 203[.]0[.]113[.]44, drops from hxxp://files-cdn[.]test/a.zip\n\
     also seen: 198.51.100.77 and scam@bank-help[.]example\n",
    "Hello team,\n\nPhishing from evil[.]example (198.51.100[.]7), sender attacker[at]evil[.]example.\n\
     Please block it.\n\nThanks\nDana\n",
    "seen again: evil[.]example\n",
    "From: Dana <dana@platform.example>\nTo: team@platform.example\nSubject: phishing\n\n\
     we took down hxxps://quay[.]example/login today.\n",
];

#[test]
fn a_message_of_a_few_lines_is_text() {
    for message in MESSAGES {
        assert_eq!(Format::detect(message, &Assumed::default()), Format::Text, "{message}");
    }
    let others = [
        "evil[.]example\nThe site above was seen at pier[.]example\n",
        "Description, Indicator\nA site that copies a bank, evil[.]example\n",
        "# seen again: evil[.]example\npier.example\n",
    ];
    for other in others {
        assert_ne!(Format::detect(other, &Assumed::default()), Format::Text, "{other}");
    }
}

#[test]
fn plain_values_are_listed_in_the_order_of_the_text() {
    let text = b"The kit at hxxps://login-quay[.]example/in sends mails to victims, see https://blog.example/kit too.\n\
        Its server is 203.0.113.9, version 4.2.0.1, the operator writes as ops@pier.example to victims.\n\
        Dana (dana@platform.example) found it on quay-news.example by 2001:db8::9, contact us at desk@platform.example.\n";
    let records = crate::formats::read_as(text, Some(Format::Text), &Assumed::default()).unwrap();
    let read = |record: &crate::formats::Record| match &record.class {
        Class::Indicator(read) => (record.row, read.kind().as_str(), read.value().to_owned()),
        Class::Neither(reason) => (record.row, reason.as_str(), record.raw.clone()),
        other => panic!("{other:?}"),
    };
    let read: Vec<_> = records.iter().map(read).collect();
    let expected = [
        (1, "url", "https://login-quay.example/in"),
        (1, "reference", "https://blog.example/kit"),
        (2, "text_with_value", "203.0.113.9"),
        (2, "text_with_value", "ops@pier.example"),
        (3, "text_with_value", "dana@platform.example"),
        (3, "text_with_value", "quay-news.example"),
        (3, "text_with_value", "2001:db8::9"),
        (3, "reference", "desk@platform.example"),
    ];
    assert_eq!(read, expected.map(|(row, what, value)| (row, what, value.to_owned())));
}

#[test]
fn nobody_whom_a_sentence_only_names_is_accused() {
    let sentences = [
        "The scam mail was sent to dana@victim.example last week.",
        "A malicious message reached our colleague bob@bank.example.",
        "They attacked our own resolver 198.51.100.7 from outside.",
        "It runs on Acrobat 9.4.0.195 and OpenSSL 1.1.1.1 alone.",
        "You can donate to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq here.",
    ];
    for sentence in sentences {
        let read =
            crate::formats::read_as(sentence.as_bytes(), Some(Format::Text), &Assumed::default());
        let read = read.unwrap();
        assert!(read.iter().all(|record| !record.class.is_indicator()), "{sentence}: {read:?}");
    }
}
