use super::*;
use crate::domain::Kind;

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
    assert_eq!(rows, [1, 3, 4, 5], "blank records are counted, and not given");
    assert!(matches!(&records[0].class, Class::Aggregate(c) if c.kind() == "facebook_account"));
    assert_eq!(records[1].details.involvement, Some(Involvement::Victim));
    assert_eq!(records[1].details.note.as_deref(), Some("seen"));
    assert_eq!(records[1].details.techniques[0].as_str(), "8.2.1");
    assert_eq!(records[2].class, Class::Neither(Neither::Text));
    assert_eq!(records[3].class, Class::Neither(Neither::Reach));
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
fn json_lines_arrays_and_lists_are_told_apart() {
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
fn what_is_no_table_and_no_text_is_refused_as_a_whole() {
    assert_eq!(read(b"", None), Err(Error::Empty));
    assert_eq!(read(b" \n", None), Err(Error::Empty));
    assert_eq!(read(b"a.example\n\xff\n", None), Err(Error::NotText { line: 2 }));
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
