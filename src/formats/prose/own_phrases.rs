//! Words in sentences which tell that an address is of the author, a help desk, a recipient of the report, or a source.

/// Phrases in front of an address of the author, a help desk, a recipient or a source.
pub const OWN: &[&str] = &[
    "contact us",
    "contact our",
    "please contact",
    "reach us",
    "reach out",
    "reach our",
    "write to us",
    "write us",
    "e mail us",
    "email us",
    "mail us",
    "tell us",
    "follow us",
    "visit us",
    "report to us",
    "report it to",
    "report them to",
    "report this to",
    "report any",
    "report suspicious",
    "report abuse",
    "report phishing",
    "please report",
    "please forward",
    "please send",
    "please write",
    "forward it to",
    "forward them to",
    "send it to",
    "send them to",
    "send samples",
    "full report",
    "read more",
    "see also",
    "available at",
    "available from",
    "published at",
    "published on",
    "first published",
    "our website",
    "our site",
    "our blog",
    "our portal",
    "our team",
    "our page",
    "our inbox",
    "our address",
    "our form",
    "our channel",
    "our report",
    "reported it to",
    "reported them to",
    "reported this to",
    "reported to",
    "escalated to",
    "thanks to",
    "researchers at",
    "researchers from",
    "according to",
    "first reported by",
    "reported by",
    "found by",
    "discovered by",
    "analysed by",
    "analyzed by",
    "described by",
    "not related to",
    "unrelated to",
    "no connection to",
    "no link to",
    "no relation to",
    "nothing to do with",
    "not linked to",
    "not connected to",
    "not affiliated with",
    "not to be confused with",
    "analysed at",
    "analyzed at",
];

/// Phrases in front of the digest of a key, a commit or a build, which is no digest of a file; besides
/// [`FINGERPRINTS`](crate::formats::kinds::excluded::FINGERPRINTS).
pub const KEY_PHRASES: &[&str] = &[
    "pgp key",
    "gpg key",
    "commit",
    "serial number",
    "build id",
    "certificate has",
    "certificate hash",
];

/// Nouns in front of such an address, where the sentence speaks to the reader or of the author: `For questions, …`.
pub const OWN_NOUNS: &[&str] = &[
    "help desk",
    "helpdesk",
    "service desk",
    "hotline",
    "security team",
    "press office",
    "media inquiries",
    "press inquiries",
    "questions",
    "feedback",
    "more information",
    "more details",
    "further details",
    "further information",
];

/// Words between an own phrase and the address at most.
pub const MAX_OWN_DISTANCE: usize = 5;

/// First words of sentences that tell the reader where to turn.
pub const IMPERATIVES: &[&str] = &[
    "forward", "report", "send", "contact", "notify", "call", "reach", "email", "write", "alert",
    "inform", "please",
];

/// What the author did with those to whom a report was sent.
pub const NOTICES: &[&str] = &[
    "notified",
    "informed",
    "alerted",
    "warned",
    "contacted",
    "asked",
    "urged",
    "thank",
    "notify",
    "inform",
];

/// What the author did with a report, with `to` in front of the address.
pub const REPORTS: &[&str] = &["reported", "sent", "forwarded", "escalated", "submitted"];

/// Things of the author: `our customer portal at …`.
pub const OWN_THINGS: &[&str] = &[
    "portal", "page", "site", "website", "domain", "blog", "server", "login", "address", "inbox",
    "mailbox", "form", "platform", "service", "shop",
];

/// Labels of lines with such an address.
pub const OWN_LABELS: &[&str] = &[
    "contact",
    "contacts",
    "author",
    "authors",
    "analyst",
    "reporter",
    "reported by",
    "submitted by",
    "prepared by",
    "written by",
    "to",
    "cc",
    "bcc",
    "source",
    "sources",
    "reference",
    "references",
    "see",
    "via",
    "tlp",
    "press",
    "support",
    "help desk",
    "helpdesk",
    "fax",
    "copyright",
];

/// Labels of lines with such an address, or with one of the attacker's that is defanged.
pub const LABELS_OF_BOTH: &[&str] = &[
    "from",
    "reply to",
    "sender",
    "return path",
    "website",
    "web",
    "e mail",
    "email",
    "tel",
    "phone",
];
