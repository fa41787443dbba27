//! Tables and documents in the shapes of many makers. Values are invented.

use super::*;
use crate::domain::assessment::{Involvement, Verdict};
use crate::domain::sharing::Tlp;

/// Records by value, with their details.
fn read_values(text: &str) -> Vec<(String, Details)> {
    let records = read(text.as_bytes(), None).unwrap_or_else(|error| panic!("{error}: {text}"));
    let read = records.into_iter().filter_map(|record| match record.class {
        Class::Indicator(read) => Some((read.value().to_owned(), record.details)),
        Class::Unreadable(invalid) => panic!("{invalid}: {text}"),
        _ => None,
    });
    read.collect()
}

const SHA256: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn the_tables_of_many_makers_yield_their_values_and_nothing_else() {
    let table: [(&str, String, &[&str]); 8] = [
        (
            "several digests in one cell",
            format!("value,entity_type,description\n\"{SHA256},{}\",file,x\npier.example,hostname,x\n", &SHA256[..40]),
            &[SHA256, &SHA256[..40], "pier.example"],
        ),
        (
            "a row that describes the report",
            format!("Indicator,Data,Note\nDescription,https://news.example/x,published\nIP,192.0.2.1,C2\nsha256,{SHA256} ,\n\
                     file_path_name,C:\\x,\n"),
            &["192.0.2.1", SHA256],
        ),
        (
            "a header in a comment, and blanks before quotes",
            "# a database\n#\n# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"tags\"\n\"2026-01-02 10:00:00\", \"1\", \
             \"192.0.2.7:443\", \"ip:port\", \"c2\"\n"
                .into(),
            &["192.0.2.7"],
        ),
        (
            "links to the maker's own pages",
            "# id,dateadded,url,url_status,threat,urlhaus_link\n\"1\",\"2026-01-02 10:00:00\",\"http://192.0.2.9/i\",\
             \"online\",\"malware_download\",\"https://urlhaus.example/url/1/\"\n"
                .into(),
            &["http://192.0.2.9/i"],
        ),
        (
            "names without separators",
            format!("IndicatorType,IndicatorValue,Confidence\nDomainName,pier.example,High\nFileSha256,{SHA256},Low\n"),
            &["pier.example", SHA256],
        ),
        (
            "events in a table",
            format!("uuid,event_id,category,type,value,comment,to_ids,date\n1,1,External analysis,link,https://blog.example/x,,0,\
                     20260102\n2,1,Network activity,ip-dst|port,192.0.2.1|443,c2,1,1767312000\n3,1,x,filename|sha256,a.exe|{SHA256},,0,\n"),
            &["192.0.2.1", SHA256],
        ),
        (
            "hosts that are addresses",
            "type,value\ndomain,192.0.2.1\nhostname,pier.example\n".into(),
            &["192.0.2.1", "pier.example"],
        ),
        (
            "a domain and its address",
            "domain_name,ip_address\n\"pier.example\",\"192.0.2.1\"\n".into(),
            &["pier.example", "192.0.2.1"],
        ),
    ];
    for (name, text, expected) in table {
        let values: Vec<_> = read_values(&text).into_iter().map(|(value, _)| value).collect();
        assert_eq!(values, expected, "{name}");
    }
}

#[test]
fn columns_of_other_makers_say_what_they_say() {
    let table = "type,value,Malicious Confidence,Expiration,TLP Level,Description,threat_type,to_ids,First Seen UTC,status\n\
        domain,a.example,high,2026-12-31,TLP:AMBER,victim,botnet_cc,1,2026-01-02 00:00:00,online\n\
        domain,b.example,,,,,,0,someday,benign\n";
    let read = read_values(table);
    let details = &read[0].1;
    assert_eq!((details.confidence, details.tlp), (Some(85), Some(Tlp::Amber)));
    assert_eq!(details.valid_until.unwrap().as_millis(), 1_798_761_599_999, "the end of that day");
    assert_eq!(details.first_seen.unwrap().as_millis(), 1_767_312_000_000);
    assert_eq!(details.involvement, Some(Involvement::Victim));
    assert_eq!((details.verdict, &details.labels[0][..]), (None, "command-and-control"));
    assert_eq!(read[1].1.verdict, Some(Verdict::NonMalicious));
    let unreadable = "type,value,valid_until\ndomain,a.example,someday\n";
    let records = super::read(unreadable.as_bytes(), None).unwrap();
    assert!(
        matches!(&records[0].class, Class::Unreadable(invalid) if invalid.field == "valid_until")
    );
}

#[test]
fn columns_that_are_not_read_are_named() {
    let text = "type,value,Colour,note,Size\ndomain,a.example,red,x,1\n";
    let input = Input::from_bytes(text.as_bytes()).unwrap();
    let reading = read_input(&input, None, &Assumed::default(), &mut |_| ControlFlow::Continue(()));
    assert_eq!(reading.unwrap().unread_columns, ["Colour", "Size"]);
}

#[test]
fn records_in_a_document_have_what_is_said_around_them() {
    let pulse = r#"{"name": "A pulse", "description": "Quay operation", "TLP": "green", "tags": ["phishing", "quay"],
        "references": ["https://blog.example/r"], "indicators": [
        {"id": 1, "indicator": "pier.example", "type": "domain", "created": "2026-01-02T00:00:00", "title": ""},
        {"id": 2, "indicator": "x", "type": "CVE"}]}"#;
    let read = read_values(pulse);
    let [(value, details)] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!((value.as_str(), details.tlp), ("pier.example", Some(Tlp::Green)));
    assert_eq!(details.labels, ["phishing"]);
    assert_eq!(details.references, ["https://blog.example/r"]);
    assert!(details.note.as_deref().unwrap().contains("Quay operation"));
    let by_id = r#"{"17": [{"ioc_value": "192.0.2.7:443", "ioc_type": "ip:port", "threat_type": "botnet_cc"}],
        "18": [{"ioc_value": "pier.example", "ioc_type": "domain", "confidence_level": 50}]}"#;
    assert_eq!(read_values(by_id).len(), 2);
}

#[test]
fn signals_of_the_global_signal_exchange_are_read() {
    let signals = r#"{"data":[{"id":7,"signal":"https://pier.example/login","source":"cda","signal_type":"url",
        "abuse_type":"phishing","report_date":"2026-01-02 00:00:00","predictive":1,"confidence_score":95,"status":"new"},
        {"id":8,"signal":"pier.example","signal_type":"domain name","abuse_type":"scam","predictive":0}]}"#;
    let read = read_values(signals);
    let details = &read[0].1;
    assert_eq!((details.verdict, details.confidence), (Some(Verdict::Suspicious), Some(95)));
    assert_eq!(details.labels, ["phishing"]);
    assert_eq!(details.first_seen.unwrap().as_millis(), 1_767_312_000_000);
    assert_eq!((read[1].1.verdict, &read[1].1.labels[0][..]), (None, "fraud"));
}

#[test]
fn a_text_of_labelled_values_is_read_as_text() {
    let text = "2026-09-13 (TUESDAY) - A DISTRIBUTION ACTIVITY\n\nNOTES:\n\n- URL from email: hxxps://pier[.]example/a\n\
        - 192.0.2[.]84 port 443 - attempted connections\n- port 443 - www.service.example - not malicious\n\
        - Hash of the archive: d41d8cd98f00b204e9800998ecf8427e\n";
    let read = read_values(text);
    let values: Vec<_> = read.iter().map(|(value, _)| value.as_str()).collect();
    assert_eq!(
        values,
        ["https://pier.example/a", "192.0.2.84", "d41d8cd98f00b204e9800998ecf8427e"]
    );
    assert!(read.iter().all(|(_, details)| details.verdict == Some(Verdict::Unknown)));
}

#[test]
fn a_heading_of_a_list_states_the_involvement_of_what_is_below_it() {
    let list = "Domains:\na.example\nCompromised sites:\nb.example\n# Impersonated outlets\nc.example\nIPs:\n192.0.2.1\n";
    let involvements: Vec<_> =
        read_values(list).iter().map(|(_, details)| details.involvement).collect();
    assert_eq!(involvements, [None, Some(Involvement::Victim), Some(Involvement::Victim), None]);
}

#[test]
fn an_archive_of_users_yields_ids_and_handles_and_no_hashes() {
    let archive = "\"userid\",\"user_display_name\",\"user_screen_name\"\n\"1357111317\",\"A Desk\",\"harbour_desk\"\n\
        \"D1TqJbUCacnn7yoRIvuym=\",\"D1TqJbUCacnn7yoRIvuym=\",\"D1TqJbUCacnn7yoRIvuym=\"\n";
    let values: Vec<_> = read_values(archive).into_iter().map(|(value, _)| value).collect();
    assert_eq!(values, ["1357111317", "harbour_desk"]);
}

#[test]
fn what_is_compromised_cleared_or_somebody_elses_is_not_accused() {
    let verdicts = |text: &str| -> Vec<_> {
        let read = read_values(text).into_iter();
        read.map(|(value, details)| (value, details.verdict, details.involvement)).collect()
    };
    let (victim, cleared, unknown) =
        (Some(Involvement::Victim), Some(Verdict::NonMalicious), Some(Verdict::Unknown));
    let (a, b) = ("a.example".to_owned(), "b.example".to_owned());
    let table: [(&str, Option<Verdict>, Option<Involvement>); 14] = [
        ("domain,is_compromised\na.example,1\n", None, victim),
        ("domain,isWhitelisted\na.example,true\n", cleared, None),
        ("domain,classification\na.example,benign\n", cleared, None),
        ("domain,label\na.example,benign\n", cleared, None),
        ("domain,Category\na.example,Benign\n", cleared, None),
        ("domain,threat_level\na.example,none\n", cleared, None),
        ("domain,severity\na.example,none\n", None, None),
        ("benign_domain,note\na.example,x\n", cleared, None),
        ("domain,malicious\na.example,false\n", unknown, None),
        ("a.example,benign,2026-01-02\n", cleared, None),
        ("victim_domain,note\na.example,x\n", None, victim),
        ("type,value\ncompromised domain,a.example\n", None, victim),
        ("Compromised domains:\na.example\n", None, victim),
        (r#"{"victims":[{"domain":"a.example"}]}"#, None, victim),
    ];
    for (text, verdict, involvement) in table {
        assert_eq!(verdicts(text), [(a.clone(), verdict, involvement)], "{text}");
    }
    // A log of connections does not state which end is the attacker's.
    let log = "src_domain,dst_domain\na.example,b.example\n";
    assert_eq!(verdicts(log), [(a, unknown, None), (b, unknown, None)]);
}

#[test]
fn a_marking_counts_where_no_header_names_it() {
    let read = read_values("a.example,TLP:AMBER,c2\nb.example,TLP:GREEN,phishing\n");
    let of = |at: usize| (read[at].1.tlp, read[at].1.labels[0].as_str());
    assert_eq!(of(0), (Some(Tlp::Amber), "command-and-control"));
    assert_eq!(of(1), (Some(Tlp::Green), "phishing"));
}

#[test]
fn a_document_without_values_is_an_error_that_names_it() {
    let bundle = r#"{"objects": [], "type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000"}"#;
    let table = [
        (bundle, "objects of STIX"),
        (
            r#"{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000"}"#,
            "objects of STIX",
        ),
        (r#"{"Event":{"info":"x","Attribute":[]}}"#, "events of MISP"),
        (r#"{"data":[],"paging":{}}"#, "ThreatExchange"),
    ];
    for (text, what) in table {
        let error = super::read(text.as_bytes(), None).unwrap_err();
        assert!(error.is_empty() && error.to_string().contains(what), "{error}: {text}");
    }
}

#[test]
fn keys_below_which_nothing_is_read_are_named() {
    let text = r#"{"iocs":[{"domain":"a.example","whois":{"email":"x@mail.example"},"size":1}],"author":{"email":"y@mail.example"}}"#;
    let input = Input::from_bytes(text.as_bytes()).unwrap();
    let reading = read_input(&input, None, &Assumed::default(), &mut |_| ControlFlow::Continue(()));
    assert_eq!(reading.unwrap().unread_columns, ["size", "whois", "author"]);
}
