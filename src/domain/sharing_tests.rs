use super::*;

/// birdsite and facegraph in `core`; quiet in nothing; watcher an observer; cyber-unit a liaison.
struct TestCommunity;

impl Directory for TestCommunity {
    fn role(&self, partner: &PartnerId) -> Option<Role> {
        match partner.as_str() {
            "birdsite" | "facegraph" | "quiet" => Some(Role::Member),
            "watcher" => Some(Role::Observer),
            "cyber-unit" => Some(Role::Liaison),
            "exchange-ops" => Some(Role::Operator),
            _ => None,
        }
    }

    fn is_member(&self, group: &GroupId, partner: &PartnerId) -> bool {
        group.as_str() == "core" && matches!(partner.as_str(), "birdsite" | "facegraph")
    }

    fn default_group(&self, partner: &PartnerId) -> Option<GroupId> {
        (partner.as_str() == "birdsite").then(|| GroupId::from_stored("core"))
    }

    fn default_tlp(&self, _: &PartnerId) -> Tlp {
        Tlp::Amber
    }
}

fn named(groups: &[&str], partners: &[&str]) -> AudienceRequest {
    AudienceRequest::Named {
        groups: groups.iter().map(|id| GroupId::from_stored(id)).collect(),
        partners: partners.iter().map(|id| PartnerId::from_stored(id)).collect(),
    }
}

fn resolve(
    author: &str,
    tlp: Option<Tlp>,
    audience: impl Into<Option<AudienceRequest>>,
) -> Result<Sharing, Invalid> {
    let request = SharingRequest { tlp, audience: audience.into(), releases: Vec::new() };
    Sharing::resolve(request, &PartnerId::from_stored(author), &TestCommunity)
}

fn reader(id: &str, role: Role, groups: &[(&str, u64)]) -> Reader {
    let groups = groups.iter().map(|(id, since)| (GroupId::from_stored(id), *since)).collect();
    Reader { id: PartnerId::from_stored(id), role, since: 0, groups }
}

fn sees(reader: &Reader, sharing: &Sharing, sequence: u64, now: i64) -> bool {
    let author = PartnerId::from_stored("birdsite");
    may_see(reader, sharing, &author, Position::new(sequence, 0), Timestamp::from_millis(now))
}

#[test]
fn an_unset_audience_takes_the_default_of_its_marking() {
    assert_eq!(resolve("birdsite", None, None).unwrap().audience, to_core());
    assert_eq!(resolve("birdsite", Some(Tlp::Green), None).unwrap().audience, Audience::Everyone);
    assert_eq!(resolve("birdsite", Some(Tlp::Clear), None).unwrap().audience, Audience::Public);
    assert!(resolve("birdsite", Some(Tlp::Red), None).is_err());
    assert!(resolve("quiet", None, None).unwrap_err().reason.contains("no default group"));
}

#[test]
fn an_audience_that_names_nobody_is_an_error_and_never_everyone() {
    for tlp in Tlp::ALL {
        let refused = resolve("birdsite", Some(*tlp), named(&[], &[])).unwrap_err();
        assert_eq!(refused.reason, "is set but names nobody", "{tlp}");
    }
}

#[test]
fn the_marking_bounds_the_audience() {
    let allowed = |tlp, audience: AudienceRequest| resolve("birdsite", Some(tlp), audience).is_ok();
    let group = || named(&["core"], &[]);
    let partner = || named(&[], &["watcher"]);
    let everyone = || AudienceRequest::Everyone;
    let public = || AudienceRequest::Public;
    let table = [
        (Tlp::Red, [false, true, false, false]),
        (Tlp::AmberStrict, [true, true, false, false]),
        (Tlp::Amber, [true, true, false, false]),
        (Tlp::Green, [true, true, true, false]),
        (Tlp::Clear, [true, true, true, true]),
    ];
    for (tlp, expected) in table {
        let got = [
            allowed(tlp, group()),
            allowed(tlp, partner()),
            allowed(tlp, everyone()),
            allowed(tlp, public()),
        ];
        assert_eq!(got, expected, "{tlp}");
    }
}

#[test]
fn a_group_one_is_not_in_reads_like_one_that_does_not_exist() {
    let outside = resolve("quiet", None, named(&["core"], &[])).unwrap_err();
    let absent = resolve("quiet", None, named(&["none"], &[])).unwrap_err();
    assert_eq!(outside.reason.replace("core", ""), absent.reason.replace("none", ""));
}

#[test]
fn liaisons_operators_and_strangers_are_in_no_audience() {
    let refused = |id: &str| resolve("birdsite", None, named(&[], &[id])).unwrap_err().reason;
    assert!(refused("cyber-unit").contains("use a release"));
    assert!(refused("exchange-ops").contains("runs the exchange"));
    assert!(refused("nobody").contains("no partner"));
}

#[test]
fn a_release_names_a_liaison() {
    let release = |to: &str, basis: &str| Release {
        liaison: PartnerId::from_stored(to),
        basis: basis.into(),
        until: None,
    };
    let released = |tlp, releases: Vec<Release>| {
        let audience = Some(named(&[], &["facegraph"]));
        let request = SharingRequest { tlp, audience, releases };
        Sharing::resolve(request, &PartnerId::from_stored("birdsite"), &TestCommunity)
    };
    let field = |tlp, releases| released(tlp, releases).unwrap_err().field;
    let good = || vec![release("cyber-unit", "a warrant")];
    assert!(released(None, good()).is_ok());
    assert_eq!(field(None, vec![release("facegraph", "a warrant")]), "sharing.releases");
    assert_eq!(field(None, vec![release("cyber-unit", " ")]), "sharing.releases.basis");
    assert_eq!(field(None, [good(), good()].concat()), "sharing.releases");
    assert_eq!(field(Some(Tlp::Red), good()), "sharing.releases", "to named partners only");
}

#[test]
fn a_member_sees_its_groups_from_the_beginning_of_its_membership() {
    let sharing = resolve("birdsite", None, None).unwrap();
    let member = reader("facegraph", Role::Member, &[("core", 10)]);
    assert!(!sees(&member, &sharing, 9, 0));
    assert!(sees(&member, &sharing, 10, 0));
    assert!(!sees(&reader("quiet", Role::Member, &[("other", 0)]), &sharing, 10, 0));
    assert!(sees(&reader("birdsite", Role::Member, &[]), &sharing, 10, 0), "its author");
}

#[test]
fn everyone_is_members_and_observers_and_public_is_liaisons_too() {
    let roles = [Role::Member, Role::Observer, Role::Liaison, Role::Operator];
    let visible_to = |tlp| {
        let sharing = resolve("birdsite", Some(tlp), None).unwrap();
        roles.map(|role| sees(&reader("somebody", role, &[]), &sharing, 1, 0))
    };
    assert_eq!(visible_to(Tlp::Green), [true, true, false, false]);
    assert_eq!(visible_to(Tlp::Clear), [true, true, true, false]);
}

#[test]
fn a_release_ends_by_the_clock() {
    let mut sharing = resolve("birdsite", None, None).unwrap();
    let until = Some(Timestamp::from_millis(100));
    let liaison = PartnerId::from_stored("cyber-unit");
    sharing.releases.push(Release { liaison, basis: "warrant".into(), until });
    let reader = reader("cyber-unit", Role::Liaison, &[]);
    assert!(sees(&reader, &sharing, 1, 99));
    assert!(!sees(&reader, &sharing, 1, 100));
}

#[test]
fn a_reader_sees_of_a_sharing_only_its_own_part() {
    let request = named(&["core"], &["watcher", "quiet"]);
    let sharing = resolve("birdsite", None, request).unwrap();
    let author = PartnerId::from_stored("birdsite");
    let position = Position::new(5, 0);
    let view = |r: &Reader| sharing.view_for(r, &author, position).audience;
    let only = |groups: &[&str], partners: &[&str]| Audience::Named {
        groups: groups.iter().map(|id| GroupId::from_stored(id)).collect(),
        partners: partners.iter().map(|id| PartnerId::from_stored(id)).collect(),
    };
    assert_eq!(view(&reader("watcher", Role::Observer, &[])), only(&[], &["watcher"]));
    assert_eq!(view(&reader("facegraph", Role::Member, &[("core", 1)])), only(&["core"], &[]));
    assert_eq!(view(&reader("birdsite", Role::Member, &[])), sharing.audience);
}

fn to_core() -> Audience {
    let groups = [GroupId::from_stored("core")].into_iter().collect();
    Audience::Named { groups, partners: BTreeSet::new() }
}
