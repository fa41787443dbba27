use super::*;
use crate::domain::Kind;
use crate::domain::assessment::{Involvement, Severity, Verdict};

fn indicators(text: &str) -> Vec<(usize, Kind, String)> {
    let records = read(text.as_bytes(), None).unwrap();
    let read = records.into_iter().filter_map(|record| match record.class {
        Class::Indicator(read) => Some((record.row, read.kind(), read.value().to_owned())),
        _ => None,
    });
    read.collect()
}

#[test]
fn a_report_by_procedure_is_read_whatever_its_header_looks_like() {
    let report = "\u{feff}Tactic ,Technique,Procedure,Indicator,Commernts\r\n\
        0. Acquiring assets,0.9,0.9.1 Acquiring Facebook assets,\"1,020 accounts\",\r\n\
        ,,,,\r\n\
        8. Compromising,8.2,8.2.1 Defacing websites,news[.]example,seen\r\n\
        6. Posting,6.1,6.1.3,\"Two lines\nof a title\",\r\n\
        7. Engaging,7.2,7.2.2,About 100 accounts followed one or more of these Pages,";
    let records = read(report.as_bytes(), None).unwrap();
    let rows: Vec<_> = records.iter().map(|record| record.row).collect();
    assert_eq!(rows, [1, 3, 4, 5], "blank records are counted, but not returned");
    assert!(matches!(&records[0].class, Class::Aggregate(c) if c.kind() == "facebook_account"));
    assert_eq!(records[1].details.involvement, Some(Involvement::Victim));
    assert_eq!(records[1].details.note.as_deref(), Some("seen"));
    assert_eq!(records[1].details.techniques[0].as_str(), "8.2.1");
    assert_eq!(records[2].class, Class::Neither(SkipReason::Text));
    assert_eq!(records[3].class, Class::Neither(SkipReason::Reach));
}

#[test]
fn the_declared_type_wins() {
    let table = "indicator_type,indicator_value,comment,ds\n\
        domain_name,News.Example,,\n\
        phishing_url,https://news.example,,\n\
        telegram_url,https://t.me/Sample,,\n\
        telegram_url,https://t.me/sample/42,,\n\
        android_package_name,com.Sample.app,,\n\
        domain_name,nodots,,\n\
        martian,x,,\n";
    let read_as = indicators(table);
    let kinds: Vec<_> = read_as.iter().map(|(_, kind, _)| *kind).collect();
    assert_eq!(kinds, [Kind::Domain, Kind::Url, Kind::Channel, Kind::Url, Kind::AndroidPackage]);
    let records = read(table.as_bytes(), None).unwrap();
    assert!(matches!(&records[5].class, Class::Unreadable(i) if i.field == "value"));
    assert!(matches!(&records[6].class, Class::Unreadable(i) if i.field == "kind"));
}

#[test]
fn columns_are_found_by_name_in_any_order_and_with_any_separator() {
    let table = "note;platform;kind;value\nfirst;Twitter;account;@Sample\n;;;https://a.example/b\n";
    let expected =
        [(1, Kind::Account, "sample".to_owned()), (2, Kind::Url, "https://a.example/b".to_owned())];
    assert_eq!(indicators(table), expected);
    let by_kind = "domain,email\nnews.example,\nother.example,info@other.example\n";
    assert_eq!(indicators(by_kind).len(), 3);
}

#[test]
fn json_lines_arrays_and_lists_are_detected() {
    let lines = "{\"kind\":\"domain\",\"value\":\"a.example\"}\n\"b[.]example\"\nnot json\n";
    assert_eq!(indicators(lines).len(), 2);
    let records = read(lines.as_bytes(), None).unwrap();
    assert!(matches!(&records[2].class, Class::Unreadable(i) if i.reason.contains("JSON")));
    let array = "[\n {\"indicator_type\": \"ip\", \"indicator_value\": \"192.0.2.1\"}\n]";
    assert_eq!(indicators(array), [(1, Kind::Ip, "192.0.2.1".into())]);
    let list = "# a comment\n\n#Sample\na[.]example\nx:Someone\nwords of prose\n";
    let rows: Vec<_> = indicators(list).into_iter().map(|(row, kind, _)| (row, kind)).collect();
    assert_eq!(rows, [(3, Kind::Hashtag), (4, Kind::Domain), (5, Kind::Account)]);
}

#[test]
fn a_column_that_the_user_names_holds_the_values_or_is_an_error() {
    let table = b"First Seen,C2\n2026-01-01,192.0.2.1\n";
    let named = |name: &str| Assumed { column: Some(name.into()), ..Assumed::default() };
    let records = read_as(table, None, &named("c2")).unwrap();
    assert!(matches!(&records[..], [Record { class: Class::Indicator(_), .. }]));
    let error = read_as(table, None, &named("C3")).unwrap_err().to_string();
    assert_eq!(error, "no column is named `C3`. The first line is: `First Seen,C2`");
}

#[test]
fn a_block_list_is_read_by_its_sections() {
    let list = "# block list\nDomains:\n||pier.example^\n0.0.0.0 a.example a2.example\n*.b.example # today\n\
        address=/c.example/0.0.0.0\ninvoice.zip\nIPs:\n192.0.2.0/24\n192.0.2.8:8080\n\
        Contact someone@mail.example for more on https://news.example/a and the like\n\
        x.com/a_b, x.com/c_d and t.me/pier\n#domains\ny.example z.example\n";
    let values: Vec<_> = indicators(list).into_iter().map(|(_, _, value)| value).collect();
    let domains =
        ["pier.example", "a.example", "a2.example", "b.example", "c.example", "invoice.zip"];
    assert_eq!(values[..6], domains, "a heading states the kind of a name that may be a file");
    let others = ["192.0.2.0/24", "192.0.2.8", "a_b", "c_d", "pier", "#domains"];
    assert_eq!(values[6..12], others);
    assert_eq!(values[12..], ["y.example", "z.example"]);
    let records = read(list.as_bytes(), None).unwrap();
    let is_text = |record: &Record| record.class == Class::Neither(SkipReason::TextWithValue);
    assert_eq!(records.iter().filter(|record| is_text(record)).count(), 1);
    let sections = "MD5\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nDomains\na.example\n";
    assert_eq!(indicators(sections).len(), 2);
}

#[test]
fn annotated_and_broken_values_are_read_and_prose_is_not() {
    let value = |text: &str| match cell::read(text, None).as_slice() {
        [Class::Indicator(read)] => Some(read.value().to_owned()),
        _ => None,
    };
    assert_eq!(value("info[at]a[.]example, hosted somewhere").unwrap(), "info@a.example");
    assert_eq!(value("https://a[.]example/b [comment]").unwrap(), "https://a.example/b");
    assert_eq!(value("https://a[.]example/why-bo oks").as_deref(), None);
    assert_eq!(
        value("https://a[.]example/why-bo ok-of-hours/").unwrap(),
        "https://a.example/why-book-of-hours"
    );
    assert_eq!(value("Using a[.]example to hide links"), None);
    assert_eq!(value("Configure a[.]example with mail"), None);
    assert_eq!(cell::read("a[.]example b[.]example", None).len(), 2);
}

#[test]
fn a_cell_with_several_values_yields_exactly_those() {
    let read = |text: &str, platform: Option<&str>| -> Vec<String> {
        let classes = cell::read(text, platform).into_iter();
        let read = classes.filter_map(|class| match class {
            Class::Indicator(read) => {
                let on = read.platform().map_or_else(String::new, |on| format!("{on}:"));
                Some(format!("{on}{}", read.value()))
            }
            _ => None,
        });
        read.collect()
    };
    let table: [(&str, &[&str]); 20] = [
        ("a-news.com\nb-news.com", &["a-news.com", "b-news.com"]),
        ("a[.]example and b[.]example", &["a.example", "b.example"]),
        ("• a[.]example\n• b[.]example", &["a.example", "b.example"]),
        (
            "https://a[.]example/x,https://b[.]example/y",
            &["https://a.example/x", "https://b.example/y"],
        ),
        ("https://a[.]example/x, see also b", &["https://a.example/x"]),
        ("https://a[.]example/x,b-news.com", &["https://a.example/x,b-news.com"]),
        ("https://a[.]example/?u&b-news.com", &["https://a.example/?u&b-news.com"]),
        ("a-news.com,b-news.com", &["a-news.com", "b-news.com"]),
        ("#One #Two", &["#one", "#two"]),
        ("a[.]example (Desk), b[.]example (News)", &["a.example", "b.example"]),
        ("+1 212 555 0123\n+1 212 555 0199", &["+12125550123", "+12125550199"]),
        ("Email: info@a[.]example", &["info@a.example"]),
        ("@user_one", &["x:user_one"]),
        ("@user_one (Instagram)", &["instagram:user_one"]),
        ("YouTube: @user_one", &["youtube:user_one"]),
        // Two profiles, or a profile and something else, are never one account.
        ("https://twitter[.]com/user_one user_two", &[]),
        ("https://a[.]example/x b-news.com", &[]),
        ("https://a[.]example/x 2024-01-05", &[]),
        ("We saw a.example, and b.example too", &[]),
        ("Medium: high", &[]),
    ];
    for (text, values) in table {
        assert_eq!(read(text, Some("x")), values, "{text}");
    }
    assert_eq!(read("some.name", Some("tiktok")), ["tiktok:some.name"], "no domain is guessed");
    assert_eq!(read("some-name.com", None), ["some-name.com"]);
}

#[test]
fn details_of_a_record_are_read_or_the_record_is_unreadable() {
    let table = "kind,value,verdict,involvement,confidence,severity,first_seen,tags\n\
        domain,a.example,non_malicious,victim,80%,Low,2026-01-02,spam;phishing\n\
        domain,b.example,,vicitm,,,,\ndomain,c.example,,,very sure,,,\ndomain,d.example,,,,,soon,\n";
    let lines = "{\"kind\":\"domain\",\"value\":\"a.example\",\"verdict\":\"non_malicious\",\
        \"involvement\":\"victim\",\"confidence\":\"80\",\"severity\":\"low\",\
        \"first_seen\":\"2026-01-02T00:00:00Z\",\"labels\":[\"spam\",\"phishing\"]}\n";
    for text in [table, lines] {
        let records = read(text.as_bytes(), None).unwrap();
        let details = &records[0].details;
        assert_eq!(details.verdict, Some(Verdict::NonMalicious));
        assert_eq!(details.involvement, Some(Involvement::Victim));
        assert_eq!(details.confidence, Some(80));
        assert_eq!(details.severity, Some(Severity::Low));
        assert_eq!(details.first_seen.unwrap().as_millis(), 1_767_312_000_000);
        assert_eq!(details.labels, ["spam", "phishing"]);
    }
    let records = read(table.as_bytes(), None).unwrap();
    let fields = ["involvement", "confidence", "first_seen"];
    for (record, field) in records[1..].iter().zip(fields) {
        assert!(matches!(&record.class, Class::Unreadable(i) if i.field == field), "{record:?}");
    }
}

#[test]
fn a_header_is_found_below_a_title_and_is_not_made_of_values() {
    let domains =
        |text: &str| indicators(text).into_iter().map(|(row, ..)| row).collect::<Vec<_>>();
    assert_eq!(
        domains("Report of threats\nsep=,\n,,,\nIndicator(s),Type\na.example,domain\n"),
        [1]
    );
    assert_eq!(domains("domain,a.example\ndomain,b.example\n"), [1, 2]);
    assert_eq!(domains("value,value\na.example,b.example\n"), [1, 1]);
    assert_eq!(domains("a.example\nvalue\nb.example\n"), [1, 3], "a list");
    let open = "kind,value,note\ndomain,a.example,x\ndomain,b.example,\"open\ndomain,c.example,y\n";
    assert!(matches!(read(open.as_bytes(), None), Err(Error::Broken { row: 2, .. })));
    let closed = "kind,value,note\ndomain,a.example,\"two\nlines\"\ndomain,b.example,5\" disk\n";
    assert_eq!(domains(closed), [1, 2]);
}

#[test]
fn undeclared_values_have_the_assumed_kind_and_platform() {
    let assumed = Assumed { kind: Some(Kind::Pdq), ..Assumed::default() };
    let digits = format!("{}\n", "f".repeat(64));
    let records = read_as(digits.as_bytes(), None, &assumed).unwrap();
    assert!(matches!(&records[0].class, Class::Indicator(read) if read.kind() == Kind::Pdq));
    let assumed = Assumed { platform: Some("x".into()), ..Assumed::default() };
    let records = read_as(b"somebody\nhttps://www.youtube.com/@other\n", None, &assumed).unwrap();
    assert!(matches!(&records[0].class, Class::Indicator(read) if read.kind() == Kind::Account));
    assert!(matches!(&records[1].class, Class::Unreadable(i) if i.field == "platform"));
}

#[test]
fn a_file_that_is_no_table_and_no_text_is_refused_as_a_whole() {
    assert_eq!(read(b"", None), Err(Error::Empty));
    assert_eq!(read(b" \n", None), Err(Error::Empty));
    assert_eq!(read(b"a.example\n\xc3\xa9 \xff\n", None), Err(Error::NotText { line: 2 }));
    assert_eq!(read(b"a\0b", None), Err(Error::NotText { line: 1 }));
    let refused = read(b"colour,size\nred,1\n", Some(Format::Csv)).unwrap_err();
    assert!(refused.to_string().contains("colour,size"), "{refused}");
}

proptest::proptest! {
    #[test]
    fn nothing_panics_on_any_bytes(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        for format in [None, Some(Format::Csv), Some(Format::Jsonl), Some(Format::List)] {
            let _ = read(&bytes, format);
        }
    }

    #[test]
    fn nothing_panics_on_any_cell(text in "\\PC{0,80}", head in "(type,value|domain|Tactic,Technique,Procedure,Indicator|)") {
        let _ = read(format!("{head}\n{text}").as_bytes(), None);
    }
}

#[test]
fn what_is_below_a_benign_heading_or_key_is_not_malicious() {
    let texts = [
        "Benign domains:\nnews.example\n\nDomains:\npier.example\n",
        "# A report\n\n## Benign domains\n\n- `news.example`\n\n## Domains\n\n- `pier.example`\n",
        "# A report\n\n## False positives\n\n| Domain |\n|---|\n| news.example |\n\n## Found\n\n| Domain |\n|---|\n| \
         pier.example |\n",
        r#"{"benign":{"domains":["news.example"]},"found":{"domains":["pier.example"]}}"#,
        r#"{"false_positives":[{"domain":"news.example"}],"found":[{"domain":"pier.example"}]}"#,
    ];
    for text in texts {
        let records = read(text.as_bytes(), None).unwrap();
        let verdict_on = |value: &str| {
            let mut found = records.iter().filter(|record| {
                record.indicator_of(Kind::Domain).is_some_and(|read| read.value() == value)
            });
            found.next().unwrap_or_else(|| panic!("{value} in {text}")).details.verdict
        };
        assert_eq!(verdict_on("news.example"), Some(Verdict::NonMalicious), "{text}");
        assert_eq!(verdict_on("pier.example"), None, "{text}");
    }
}

#[test]
fn a_value_in_a_remark_is_listed_and_not_taken() {
    for remark in ["pier.example - moved from quay.example", "pier.example [was quay.example]"] {
        let records = read(format!("{remark}\n").as_bytes(), Some(Format::List)).unwrap();
        let listed = records.iter().any(|record| {
            record.class == Class::Neither(SkipReason::TextWithValue)
                || record.indicator_of(Kind::Domain).is_some_and(|it| it.value() == "quay.example")
        });
        assert!(listed, "{remark}: {records:?}");
    }
}

#[test]
fn columns_that_are_too_many_are_named_and_not_read() {
    let page = format!("<table><tr>{}</table>", "<td>a".repeat(101));
    let mut consumer = |_| std::ops::ControlFlow::Continue(());
    let mut out = Output::new(Format::Html, &mut consumer);
    html::read(&page, &Assumed::default(), &mut out);
    assert_eq!(out.finish().unread_columns, ["columns after the 100th of a table"]);
    let header = vec!["value"; 5_000].join(",");
    let table = format!("{header}\n{}", "pier.example\n".repeat(2_000));
    let records = read(table.as_bytes(), None).unwrap();
    assert_eq!(records.len(), 2_000);
}
