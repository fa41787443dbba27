use crate::domain::assessment::Involvement;
use crate::formats::{Class, Format, SkipReason, read};

/// The values of a report, with the role that is stated.
fn values(text: &str, format: Format) -> Vec<(String, Option<Involvement>)> {
    let records = read(text.as_bytes(), Some(format)).unwrap().into_iter();
    let values = records.filter_map(|record| match record.class {
        Class::Indicator(read) => Some((read.value().to_owned(), record.details.involvement)),
        _ => None,
    });
    values.collect()
}

fn names(text: &str, format: Format) -> Vec<String> {
    values(text, format).into_iter().map(|(value, _)| value).collect()
}

#[test]
fn underlined_headings_quotes_nested_lists_and_footnotes_are_read_as_what_they_are() {
    let text = "A network\n=========\n\nDomains\n-------\n\n- a.example\n    - b.example\n\n> It used c[.]example.[^1]\n\n\
                Telegram\n--------\n\n- pier_desk\n- @quay_desk\n\nReferences\n----------\n\n1. hxxps://d[.]example/x\n\n\
                [^1]: See e[.]example\n[1]: https://f.example\n";
    assert_eq!(
        names(text, Format::Markdown),
        ["a.example", "b.example", "c.example", "pier_desk", "quay_desk"]
    );
}

#[test]
fn tables_without_outer_bars_and_next_to_text_are_tables() {
    let text = "# A\n\n**Values**\nType | Value\n--- | ---\ndomain | a.example\ndomain | b.example\nThe end, as news.example wrote.\n\n\
                | Type | Value |\n|---|\n| domain | c.example |\n\n| | |\n|---|---|\n| **Domain** | d.example |\n";
    assert_eq!(names(text, Format::Markdown), ["a.example", "b.example", "c.example", "d.example"]);
}

#[test]
fn words_below_a_platform_are_handles_only_where_they_are_marked_or_alone() {
    let text = "# A\n\n## Telegram\n\n- Background\n- The operators used two channels there\n- @pier_desk\n\nThey liked it.\n\n\
                ## Facebook\n\n- quay.desk\n";
    assert_eq!(names(text, Format::Markdown), ["pier_desk", "quay.desk"]);
}

#[test]
fn labels_introductions_and_lists_in_lists_state_kinds() {
    let text = "# A\n\nThe network used these domains:\n\n- a.example\n\nIt was reported by these sites of others:\n\n- Domains\n  - b.example\n\
                - **Domains:** c.example, d.example\n- ip-dst: 192.0.2.1 — a server\n- link: https://e.example/x\n\nFor more, see these sites:\n\n- f.example\n";
    assert_eq!(
        names(text, Format::Markdown),
        ["a.example", "b.example", "c.example", "d.example", "192.0.2.1"]
    );
}

#[test]
fn malicious_links_are_read_and_links_are_not() {
    let text = "# A\n\n## Malicious links\n\n- https://a.example/x\n\n## Links\n\n- hxxps://b[.]example/x\n\n## Related domains\n\n- c.example\n";
    assert_eq!(names(text, Format::Markdown), ["https://a.example/x", "c.example"]);
}

#[test]
fn cells_of_a_page_reach_over_rows_and_columns() {
    let page = "<html><body><h2>Indicators</h2><table><tr><th>Type</th><th>Value</th><th>Note</th></tr>\
                <tr><td rowspan=2>domain</td><td>a.example</td><td>x</td></tr><tr><td>b.example<br>c.example</td></tr></table>\
                <table><tr><th>Domain</th><td>d.example</td></tr><tr><th>IP</th><td>192.0.2.1</td></tr></table>\
                <table><tr><td colspan=2>Sites</td></tr><tr><td>x</td><td><a href='hxxps://e[.]example/x'>here</a></td></tr></table>";
    assert_eq!(
        names(page, Format::Html),
        ["a.example", "b.example", "c.example", "d.example", "192.0.2.1", "https://e.example/x"]
    );
}

#[test]
fn code_links_and_entities_of_a_page_are_read() {
    let page = "<html><body><p>It used a&#91;.&#93;example and <code>b.example</code>, see <a href=\"https://c.example\">c</a>.</p>\
                <pre>d.example\nwget hxxp://e[.]example/x\n</pre><p><b>Domains</b></p><ul><li>f.example<ul><li>g.example</li></ul></li></ul>\
                <p>Sold by <a href=\"hxxps://h[.]example/\">them</a>.</p>";
    assert_eq!(
        names(page, Format::Html),
        [
            "a.example",
            "b.example",
            "d.example",
            "http://e.example/x",
            "f.example",
            "g.example",
            "h.example"
        ]
    );
}

#[test]
fn sentences_state_the_role_of_values() {
    let text = "# A\n\n# B\n\nThe site a[.]example is a lookalike of b[.]example. It amplified stories from c[.]example. \
                Report phishing to d[at]bank[.]example.\n";
    let expected = [
        ("a.example".to_owned(), None),
        ("b.example".to_owned(), Some(Involvement::Victim)),
        ("c.example".to_owned(), Some(Involvement::ThirdParty)),
    ];
    assert_eq!(values(text, Format::Markdown), expected);
}

#[test]
fn items_below_a_removal_are_counts() {
    let text = "# A\n\n## B\n\nWe removed:\n\n- 30 Facebook accounts\n- 2 Pages\n\nThey had:\n\n- 9 accounts\n";
    let records = read(text.as_bytes(), Some(Format::Markdown)).unwrap().into_iter();
    let counts = records.filter_map(|record| match record.class {
        Class::Aggregate(count) => Some((count.count, count.kind())),
        _ => None,
    });
    let expected = [(30, "facebook_account"), (2, "page")];
    assert_eq!(counts.collect::<Vec<_>>(), expected.map(|(count, kind)| (count, kind.to_owned())));
}

#[test]
fn an_introduction_states_the_role_of_what_it_leads_to() {
    let text = "# A\n\n# B\n\nThe network imitated these websites:\n\n- a.example\n- b[.]example, a newspaper of the city\n\n\
                It was amplified on these sites:\n\n- c.example\n\nThe network used these domains:\n\n- d.example\n";
    let victim = Some(Involvement::Victim);
    let expected = [
        ("a.example".to_owned(), victim),
        ("b.example".to_owned(), victim),
        ("c.example".to_owned(), Some(Involvement::ThirdParty)),
        ("d.example".to_owned(), None),
    ];
    assert_eq!(values(text, Format::Markdown), expected);
}

/// Why lines are left out, each with its row.
fn left_out(text: &str, format: Format) -> Vec<(usize, SkipReason)> {
    let records = read(text.as_bytes(), Some(format)).unwrap().into_iter();
    let reasons = records.filter_map(|record| match record.class {
        Class::Neither(reason) => Some((record.row, reason)),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn values_that_are_not_read_are_listed() {
    let (reference, text_with_value) = (SkipReason::Reference, SkipReason::TextWithValue);
    let report = "# A\n\n## References\n\n- a.example\n- a book\n\n## B\n\nWe removed 30 accounts run by ops@b.example\n\n\
                  See https://c.example/x for all of it.\n";
    let expected = [(5, reference), (10, text_with_value), (12, reference)];
    assert_eq!(left_out(report, Format::Markdown), expected);
    let mail = "The desk saw some sites of six words.\n\n-- \nJane Doe\nvendor.example\nhxxps://a[.]example/x\n";
    assert_eq!(left_out(mail, Format::Text), [(5, reference), (6, reference)]);
}

#[test]
fn an_item_below_a_removal_that_is_not_understood_is_refused() {
    let text = "# A\n\n## B\n\nWe removed:\n\n- 30 Facebook accounts\n- 1,20 Pages\n";
    let records = read(text.as_bytes(), Some(Format::Markdown)).unwrap();
    assert!(matches!(records[1].class, Class::Unreadable(_)), "{records:?}");
}

#[test]
fn a_long_paragraph_is_read_in_parts() {
    let text = format!("# A\n\n# B\n\n{}a[.]example\n", "word ".repeat(8_000));
    assert_eq!(names(&text, Format::Markdown), ["a.example"]);
}
