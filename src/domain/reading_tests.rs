use proptest::prelude::*;

use super::*;

#[test]
fn networks_are_no_addresses_and_channel_ids_keep_their_case() {
    assert_eq!(Indicator::read("192.0.2.0/24", None).unwrap().kind(), Kind::Network);
    let refused = [
        ("192.0.2.0/33", "network"),
        ("2001:db8::/129", "network"),
        ("AS99999999999", "autonomous system"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "checksum"),
    ];
    for (text, reason) in refused {
        let invalid = Indicator::read(text, None).unwrap_err();
        assert!(invalid.reason.contains(reason), "{text}: {invalid}");
    }
    assert_eq!(Indicator::read("http://192.0.2.1/24", None).unwrap().kind(), Kind::Url);
    let id = "UCabcDEF_ghiJKLmnoPQRstu";
    let by_id = Indicator::read(&format!("youtube:{id}"), None).unwrap();
    let by_address = format!("https://www.youtube.com/channel/{id}");
    assert_eq!(by_id, Indicator::read(&by_address, None).unwrap());
    assert_eq!(by_id.value(), format!("channel/{id}"));
}

fn read(raw: &str) -> (Kind, String, String) {
    let read = Indicator::read(raw, None).unwrap_or_else(|invalid| panic!("{raw}: {invalid}"));
    let platform = read.platform().map(ToString::to_string).unwrap_or_default();
    (read.kind(), platform, read.value().to_owned())
}

#[test]
fn the_kind_is_read_off_the_value() {
    let table = [
        ("news[.]example", Kind::Domain, "", "news.example"),
        ("https://news.example/", Kind::Domain, "", "news.example"),
        ("hxxps://news[.]example/a", Kind::Url, "", "https://news.example/a"),
        ("news.example/a", Kind::Url, "", "news.example/a"),
        ("http://192.0.2.7/a", Kind::Url, "", "http://192.0.2.7/a"),
        ("192[.]0[.]2[.]7", Kind::Ip, "", "192.0.2.7"),
        ("info[at]news[.]example", Kind::Email, "", "info@news.example"),
        ("#Sample", Kind::Hashtag, "", "#sample"),
        ("+1 212 555 0123", Kind::Phone, "", "+12125550123"),
        ("https://twitter[.]com/Sample_1/", Kind::Account, "x", "sample_1"),
        ("x:Sample_1", Kind::Account, "x", "sample_1"),
        ("Twitter:@Sample_1", Kind::Account, "x", "sample_1"),
        ("tiktok:@govorit.example", Kind::Account, "tiktok", "govorit.example"),
        ("https://t[.]me/Sample", Kind::Channel, "telegram", "sample"),
        ("telegram:Sample", Kind::Channel, "telegram", "sample"),
        ("@sample@social.example", Kind::Account, "social.example", "sample"),
        ("https://www.reddit.com/r/Sample/", Kind::Community, "reddit", "sample"),
        (
            "https://play.google[.]com/store/apps/details?id=com.Sample",
            Kind::AndroidPackage,
            "",
            "com.Sample",
        ),
    ];
    for (raw, kind, platform, value) in table {
        assert_eq!(read(raw), (kind, platform.to_owned(), value.to_owned()), "{raw}");
    }
    assert_eq!(read(&"A".repeat(32)).0, Kind::Md5);
    assert_eq!(read(&"a".repeat(40)).0, Kind::Sha1);
    assert_eq!(read(&"a".repeat(64)).0, Kind::Sha256);
}

#[test]
fn what_cannot_be_read_is_refused_by_field() {
    let table = [
        ("", "value"),
        ("@sample", "platform"),
        ("just words", "value"),
        ("Sample", "value"),
        ("report.mp4", "value"),
        ("t[.]/name", "value"),
        ("https://nodots/", "value"),
    ];
    for (raw, field) in table {
        let refused = Indicator::read(raw, None).map_err(|invalid| invalid.field);
        assert_eq!(refused.unwrap_err(), field, "{raw}");
    }
}

#[test]
fn a_platform_that_is_given_has_to_agree() {
    let handle = Indicator::parse(Kind::Account, Some("tiktok"), "@govorit.md").unwrap();
    assert_eq!(handle.value(), "govorit.md");
    let read = Indicator::read("@govorit.md", Some("TikTok")).unwrap();
    assert_eq!(read, handle);
    let from_address =
        Indicator::parse(Kind::Account, Some("x"), "https://twitter.com/Sample").unwrap();
    assert_eq!(from_address.value(), "sample");
    let refused = Indicator::parse(Kind::Account, Some("tiktok"), "https://twitter.com/Sample");
    assert_eq!(refused.unwrap_err().field, "platform");
    assert_eq!(Indicator::parse(Kind::Account, None, "sample").unwrap_err().field, "platform");
    let refused = Indicator::parse(Kind::Domain, Some("x"), "news.example");
    assert_eq!(refused.unwrap_err().field, "platform");
}

#[test]
fn http_and_https_are_one_indicator_in_two_spellings() {
    let one = Indicator::parse(Kind::Url, None, "http://news.example/a").unwrap();
    let two = Indicator::parse(Kind::Url, None, "https://news.example/a").unwrap();
    assert_ne!(one, two);
    assert_eq!(one.id(), two.id());
}

/// Addresses on hosts of the table, with paths that are mostly profiles.
fn on_a_platform() -> impl Strategy<Value = String> {
    let hosts = "(x|facebook|youtube|vk|reddit|weibo|line|vimeo|roblox|kick)\\.com|t\\.me|wa\\.me|m\\.me|signal\\.me|\
        signal\\.group|line\\.me|cash\\.app|(chat|api)\\.whatsapp\\.com|invite\\.viber\\.com|join\\.slack\\.com|\
        www\\.quora\\.com|pf\\.kakao\\.com|u\\.wechat\\.com|lemmy\\.example|open\\.spotify\\.com|ok\\.ru|discord\\.gg";
    let prefix = "(i/user/|p/|pages/|groups/|channel/|c/|u/|q/|ti/p/|ti/g/|message/|t/a/shared_invite/|show/|people/A/|#p/|#|\
        \\?g2=|send\\?phone=|profile\\.php\\?id=|@|\\+|\\$)?";
    let rest = "[a-zA-Z0-9@:=~_.+%$-]{1,24}(/[a-z0-9]{1,8})?";
    (hosts, prefix, rest).prop_map(|(host, prefix, rest)| format!("https://{host}/{prefix}{rest}"))
}

fn pasted() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9@#+:/\\.\\[\\](){}?&=%_ -]{0,80}",
        "(hxxps?|https?|HTTP)?(://)?[a-zA-Z0-9.-]{1,20}(\\[\\.\\]|\\.)[a-z]{2,6}(/[ -~]{0,30})?",
        "[a-z]{1,9}:[@a-zA-Z0-9._]{1,20}",
        "[0-9a-fA-F]{30,72}",
    ]
}

#[test]
fn what_is_cut_out_of_an_address_is_read_again_as_itself() {
    let read = Indicator::parse(Kind::AccountId, None, "hxxp://forum[.]example/@a)?").unwrap();
    assert_eq!(read.value(), "a");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_what_is_read_is_read_again_as_itself(raw in pasted(), at in 0..Kind::ALL.len()) {
        let kind = Kind::ALL[at];
        for platform in [None, Some("x"), Some("youtube"), Some("telegram"), Some("ethereum")] {
            if let Ok(once) = Indicator::parse(kind, platform, &raw) {
                let home = once.platform().map(ToString::to_string);
                let again = Indicator::parse(once.kind(), home.as_deref(), once.value());
                prop_assert_eq!(again.as_ref(), Ok(&once));
            }
        }
        if let Ok(once) = Indicator::read(&raw, None) {
            let home = once.platform().map(ToString::to_string);
            let again = Indicator::parse(once.kind(), home.as_deref(), once.value());
            prop_assert_eq!(again.as_ref(), Ok(&once));
        }
    }

    #[test]
    fn what_is_read_off_an_address_is_read_again_as_itself(raw in on_a_platform()) {
        let once = Indicator::read(&raw, None).unwrap();
        let home = once.platform().map(ToString::to_string);
        let again = Indicator::parse(once.kind(), home.as_deref(), once.value());
        prop_assert_eq!(again.as_ref(), Ok(&once));
        if let Some(address) = once.web_address() {
            let read = Indicator::read(&address, None);
            prop_assert_eq!(read.map(|read| read.id()), Ok(once.id()));
        }
    }

    #[test]
    fn a_defanged_canonical_value_is_read_as_what_it_was(raw in pasted(), at in 0..Kind::ALL.len()) {
        let kind = Kind::ALL[at];
        let platform = kind.needs_platform().then_some("x");
        if let Ok(once) = Indicator::parse(kind, platform, &raw) {
            let defanged = once.defanged();
            prop_assert_eq!(refang(&defanged), once.value());
            let home = once.platform().map(ToString::to_string);
            let again = Indicator::parse(once.kind(), home.as_deref(), &defanged);
            prop_assert_eq!(again.as_ref(), Ok(&once));
        }
    }

    #[test]
    fn refang_is_idempotent(raw in any::<String>()) {
        let once = refang(&raw).into_owned();
        prop_assert_eq!(refang(&once), once.clone());
    }
}
