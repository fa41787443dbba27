use super::*;

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
