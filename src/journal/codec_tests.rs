use super::*;

fn numbered<T: ToString>(words: &[T]) -> String {
    let numbered = words.iter().zip(1..).map(|(word, n)| format!("{n} {}", word.to_string()));
    numbered.collect::<Vec<_>>().join(", ")
}

/// What lies on disk is read by every later version: a number never changes its meaning, and new
/// words come at the end.
#[test]
fn the_numbers_on_disk_are_what_they_always_were() {
    assert_eq!(
        numbered(Kind::ALL),
        "1 account, 2 account_id, 3 page, 4 community, 5 channel, 6 domain, 7 url, 8 email, \
         9 phone, 10 ip, 11 md5, 12 sha1, 13 sha256, 14 pdq, 15 tlsh, 16 hashtag, \
         17 android_package, 18 ios_app_id, 19 crypto_address"
    );
    assert_eq!(numbered(Tlp::ALL), "1 RED, 2 AMBER+STRICT, 3 AMBER, 4 GREEN, 5 CLEAR");
    assert_eq!(numbered(Role::ALL), "1 member, 2 liaison, 3 observer, 4 operator");
    assert_eq!(numbered(Verdict::ALL), "1 non_malicious, 2 unknown, 3 suspicious, 4 malicious");
    assert_eq!(numbered(Severity::ALL), "1 info, 2 low, 3 medium, 4 high, 5 critical");
    assert_eq!(numbered(Involvement::ALL), "1 attacker, 2 victim, 3 abused_service, 4 third_party");
    assert_eq!(numbered(Basis::ALL), "1 own, 2 received, 3 public");
}

#[test]
fn an_audience_that_is_not_known_is_an_error_and_never_a_wider_one() {
    for audience in [0, 4] {
        let stored = pb::Sharing { tlp: 3, audience, ..pb::Sharing::default() };
        let read = decode_sharing(&stored.encode_to_vec());
        assert!(matches!(read, Err(DecodeError::Unknown("audience", _))), "{audience}");
    }
}
