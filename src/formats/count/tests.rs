use super::*;
use crate::formats::SkipReason;

fn kinds(text: &str, platform: Option<&str>) -> Option<Vec<(u64, String)>> {
    let counts = read(text, platform)?;
    Some(counts.iter().map(|count| (count.count, count.kind())).collect())
}

#[test]
fn bare_counts_are_read_with_their_asset_and_platform() {
    let one = |count, kind: &str| Some(vec![(count, kind.to_owned())]);
    assert_eq!(kinds("7,704 Facebook accounts", None), one(7_704, "facebook_account"));
    assert_eq!(kinds("1 Groups ", Some("facebook")), one(1, "facebook_group"));
    assert_eq!(kinds("~30 accounts", None), one(30, "account"));
    assert_eq!(kinds("30+ accounts", None), one(30, "account"));
    assert_eq!(kinds("Approx. 10 accounts on Instagram", None), one(10, "instagram_account"));
    assert_eq!(kinds("22 X (formerly Twitter) accounts", None), one(22, "x_account"));
    assert_eq!(kinds("12 Facebook accounts (removed)", None), one(12, "facebook_account"));
    assert_eq!(kinds("One Page", Some("facebook")), one(1, "facebook_page"));
    assert_eq!(kinds("3 Instagram accounts", Some("facebook")), one(3, "instagram_account"));
    let both = "About 110 accounts on Facebook and Instagram";
    assert_eq!(kinds(both, Some("facebook")), one(110, "facebook+instagram_account"));
    assert_eq!(kinds("1.9 million accounts", None), one(1_900_000, "account"));
    assert_eq!(kinds("15 acounts", Some("facebook")), one(15, "facebook_account"));
    assert_eq!(kinds("accounts: 30", Some("facebook")), one(30, "facebook_account"));
    assert_eq!(kinds("30 000 accounts", None), one(30_000, "account"));
    assert_eq!(kinds("30 accounts and Pages", None), one(30, "asset"));
    let two = [(12, "facebook_account".to_owned()), (4, "instagram_account".to_owned())];
    assert_eq!(kinds("12 on Facebook, 4 on Instagram", None).unwrap(), two);
    assert_eq!(kinds("30 accounts; 2 Pages", None).unwrap().len(), 2);
    assert_eq!(kinds("8 accounts 100 000 times", None), None);
    assert_eq!(
        kinds("7 Pages, 3 Groups and 5 accounts on Facebook", Some("facebook")).unwrap().len(),
        3
    );
}

#[test]
fn figures_of_reach_and_spend_and_prose_are_no_counts() {
    for text in [
        "About 1,000 accounts followed one or more of these Pages",
        "5,200 accounts followed one or more of these accounts.",
        "About $4,000 in spending for ads on Facebook",
        "2 brands",
        "accounts",
        "1.2.3.4",
        "No accounts followed these Pages",
    ] {
        assert_eq!(kinds(text, Some("facebook")), None, "{text}");
    }
    assert_eq!(metric("About 1,000 accounts followed it"), Some(SkipReason::Reach));
    assert_eq!(metric("About $73 in spending for ads"), Some(SkipReason::Spend));
    assert_eq!(metric("Creating a brand in 2021"), None);
}

#[test]
fn labels_ranges_words_and_groups_are_read() {
    let kinds =
        |text: &str| -> Vec<(u64, String)> { kinds(text, Some("facebook")).unwrap_or_default() };
    let table: [(&str, &[(u64, &str)]); 21] = [
        ("Facebook: 30, Instagram: 12", &[(30, "facebook_account"), (12, "instagram_account")]),
        (
            "Facebook: 30 accounts, 2 Pages; X: 4",
            &[(30, "facebook_account"), (2, "facebook_page"), (4, "x_account")],
        ),
        ("30-40 accounts", &[(30, "facebook_account")]),
        ("between 30 and 40 accounts", &[(30, "facebook_account")]),
        ("accounts: 30; Pages: 4", &[(30, "facebook_account"), (4, "facebook_page")]),
        ("accounts: 30 and Pages: 4", &[(30, "facebook_account"), (4, "facebook_page")]),
        ("eleven accounts", &[(11, "facebook_account")]),
        ("Twenty-three Pages", &[(23, "facebook_page")]),
        ("two hundred accounts", &[(200, "facebook_account")]),
        ("a dozen accounts", &[(12, "facebook_account")]),
        ("1.200 accounts", &[(1_200, "facebook_account")]),
        ("1 200 accounts", &[(1_200, "facebook_account")]),
        ("1.2K accounts", &[(1_200, "facebook_account")]),
        ("3.5 million accounts", &[(3_500_000, "facebook_account")]),
        ("We removed a total of 30 accounts", &[(30, "facebook_account")]),
        (
            "30 accounts and 2 Pages were taken down",
            &[(30, "facebook_account"), (2, "facebook_page")],
        ),
        ("30 accounts, Pages and Groups", &[(30, "facebook_asset")]),
        ("30 Facebook/Instagram accounts", &[(30, "facebook+instagram_account")]),
        ("12 Pages with 5,000 followers", &[(12, "facebook_page")]),
        ("12 Pages followed by about 40,000 accounts", &[(12, "facebook_page")]),
        ("Number of accounts removed: 30", &[(30, "facebook_account")]),
    ];
    for (text, expected) in table {
        let expected: Vec<_> =
            expected.iter().map(|(count, kind)| (*count, (*kind).to_owned())).collect();
        assert_eq!(kinds(text), expected, "{text}");
    }
    let approximate = |text: &str| read(text, None).unwrap()[0].approximate;
    assert!(
        approximate("30-40 accounts")
            && approximate("1.2K accounts")
            && approximate("a dozen accounts")
    );
    assert!(!approximate("1.200 accounts") && !approximate("two hundred accounts"));
}

#[test]
fn ids_and_sums_are_no_counts() {
    for text in [
        "Telegram: 123",
        "Telegram: 1234567, VK: 7654321",
        "30 accounts: 12 on Facebook, 18 on Instagram",
        "Channel 24",
        "30% of accounts",
        "$30 accounts",
    ] {
        assert_eq!(kinds(text, None), None, "{text}");
    }
}

#[test]
fn counts_of_assets_that_are_not_understood_are_told_from_names_and_reach() {
    for text in ["30", "some 30 things", "30% of accounts", "several accounts", "1,20 accounts"] {
        assert!(is_unread_count(text), "{text}");
    }
    for text in [
        "The network used compromised accounts",
        "pier[.]example 30",
        "5,000 followers",
        "Followers: 30,000",
        "Pier Desk",
        "$4,000 in spending for ads",
    ] {
        assert!(!is_unread_count(text), "{text}");
    }
}

#[test]
fn prose_counts_what_was_removed_and_nothing_else() {
    let counts = |text: &str| -> Vec<(u64, String)> {
        in_prose(text).iter().map(|count| (count.count, count.kind())).collect()
    };
    let one = |count, kind: &str| vec![(count, kind.to_owned())];
    let table = [
        ("We took down twenty-three accounts on TikTok.", one(23, "tiktok_account")),
        ("Approx. 30 accounts on X were suspended.", one(30, "x_account")),
        ("We removed 5 Pages followed by 40,000 accounts.", one(5, "page")),
        ("We removed 30 accounts with 5,000 followers.", one(30, "account")),
        ("In 2023 accounts were removed.", Vec::new()),
        ("It reached 2,000 accounts before it was removed.", Vec::new()),
        ("About 2,000 accounts followed one or more of the removed Pages.", Vec::new()),
        ("We did not remove 30 accounts.", Vec::new()),
        ("They ran 30 accounts.", Vec::new()),
        ("We did not in any way remove 50 accounts.", Vec::new()),
        ("We identified 120 accounts but removed 30 accounts only.", one(30, "account")),
        ("The site may remove 30 accounts.", Vec::new()),
        ("The 30 accounts should be removed.", Vec::new()),
        ("In May Meta removed 30 accounts.", one(30, "account")),
        ("We did not, however, remove 50 accounts.", Vec::new()),
        ("They have not yet been removed: 50 accounts.", Vec::new()),
        ("Although it was not sophisticated, we removed 50 accounts.", one(50, "account")),
        ("We could not attribute it and removed 50 accounts.", one(50, "account")),
        ("Though not attributed, 50 accounts were removed.", one(50, "account")),
        (
            "We removed 3 accounts that messaged 2,000 Facebook users and 5 groups.",
            one(3, "account"),
        ),
    ];
    for (text, expected) in table {
        assert_eq!(counts(text), expected, "{text}");
    }
}

#[test]
fn a_label_in_the_singular_is_in_front_of_an_id() {
    for text in ["Account: 12345", "Page: 3", "Accounts: 100001234567"] {
        assert_eq!(kinds(text, Some("facebook")), None, "{text}");
    }
}
