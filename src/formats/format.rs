//! The formats that are read.

use std::fmt;
use std::str::FromStr;

use super::{Assumed, Error, html, json_shape, list, markdown, prose, table, twitter};

/// An input format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Meta's threat research CSV by tactic, technique and procedure.
    MetaTtp,
    /// A table with a header that names a value column, optionally kind and platform, such as
    /// Meta's typed threat research CSV. Separated by commas, semicolons or tabs.
    Csv,
    /// JSON objects or strings, one per line or in an array.
    Jsonl,
    /// A bundle of STIX 2.1 or 2.0.
    Stix,
    /// Events of MISP.
    Misp,
    /// Descriptors of `ThreatExchange` in JSON.
    ThreatExchange,
    /// Twitter's archives of information operations.
    TwitterArchive,
    /// A page in HTML.
    Html,
    /// A report in Markdown.
    Markdown,
    /// Sentences in which values stand.
    Text,
    /// One value per line.
    List,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Format] = &[
        Format::MetaTtp,
        Format::Csv,
        Format::Jsonl,
        Format::Stix,
        Format::Misp,
        Format::ThreatExchange,
        Format::TwitterArchive,
        Format::Markdown,
        Format::Html,
        Format::Text,
        Format::List,
    ];

    /// The format's name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::MetaTtp => "meta-ttp",
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
            Format::Stix => "stix",
            Format::Misp => "misp",
            Format::ThreatExchange => "threatexchange",
            Format::TwitterArchive => "twitter-archive",
            Format::Html => "html",
            Format::Text => "text",
            Format::Markdown => "markdown",
            Format::List => "list",
        }
    }

    /// What files of the format are, for people who have one. In Markdown.
    pub const fn contents(self) -> &'static str {
        match self {
            Format::MetaTtp => "Meta's threat reports by tactic, technique, procedure, indicator",
            Format::Csv => {
                "a table with a header, separated by commas, semicolons or tabs, such as Meta's typed CSV, MISP's CSV \
                 export, ThreatFox and URLhaus. A table without a header is read if one column holds values in each \
                 of its first 20 rows and no other holds any but the addresses of reports and reporters, or if its \
                 first two columns are a kind and a value. A table of counts, such as `Platform,Accounts removed`, is \
                 read too"
            }
            Format::Jsonl => {
                "JSON objects or strings, one per line or in an array, or records somewhere in a document (OTX \
                 pulses, ThreatFox, the Global Signal Exchange). Keys are read like column names. What the objects \
                 around a record state counts for it"
            }
            Format::Stix => {
                "STIX 2.1 bundles, envelopes of TAXII, and objects in lines; STIX 2.0 where only its shape differs"
            }
            Format::Misp => {
                "events of MISP: one, several, below `response`, files of a feed, collections of attributes or objects"
            }
            Format::ThreatExchange => {
                "descriptors of ThreatExchange: one, several, pages below `data`. Tables of descriptors are `csv`"
            }
            Format::TwitterArchive => {
                "Twitter's archives of information operations. A user is an `account_id` and an `account`; hashed \
                 users are counted and left out"
            }
            Format::Markdown => {
                "a report in Markdown (CommonMark, with GitHub's tables and footnotes): see [reports](#reports)"
            }
            Format::Html => {
                "a page: read like a report. Scripts, styles and menus are left out. A cell that covers several rows \
                 counts for each, and a number in one counts once"
            }
            Format::Text => {
                "sentences, or lines that comment on the values in them, such as a mail or a chat: see [reports](#reports). The verdict is \
                 `unknown` unless `--verdict` states another. What follows `-- ` is the author's signature and is not \
                 read"
            }
            Format::List => {
                "values in lines; also block lists, hosts files, filter lists, files of dnsmasq, Unbound, BIND and \
                 Pi-hole, response policy zones, and rules of web servers, mail servers, firewalls, routers and \
                 proxies: what they let through is not read. `# …`, `//`, `;` and `!` start a comment, `#tag` is a \
                 hashtag. A heading such as `Domains:` or `Telegram:` sets the kind or platform of the lines below it"
            }
        }
    }

    /// By what a file of the format is known, for people. In Markdown.
    pub const fn detected_by(self) -> &'static str {
        match self {
            Format::MetaTtp => "those four columns",
            Format::Csv => {
                "a column of values or of counts within the first ten lines, comments not counted"
            }
            Format::Jsonl => "text that starts like JSON",
            Format::Stix => "objects with a `type` and an `id` with `--`",
            Format::Misp => "`Event`, `Attribute`, `Object`",
            Format::ThreatExchange => "`share_level`, `privacy_type`, `raw_indicator` …",
            Format::TwitterArchive => "the columns `userid` and `user_screen_name`",
            Format::Markdown => {
                "a heading, with a table, a footnote or a link, or with a second heading and a sentence, a label in bold or \
                 a section such as `References` or `Indicators`, or with a list below the name of a platform"
            }
            Format::Html => "a tag at the beginning, or a table",
            Format::Text => {
                "mostly sentences, or a few lines with defanged values among words and no value at their beginning"
            }
            Format::List => "everything else",
        }
    }

    /// Detects the format of a text by its beginning.
    pub fn detect(head: &str, assumed: &Assumed) -> Self {
        let first = head.trim_start();
        if starts_as_json(first) {
            return json_shape::format(first);
        }
        if html::is_html(head) {
            return Format::Html;
        }
        if twitter::is_archive(head) {
            return Format::TwitterArchive;
        }
        if markdown::is_markdown(head) {
            return Format::Markdown;
        }
        // Who names a column has a table.
        if assumed.column.is_some() {
            return Format::Csv;
        }
        if list::is_made_of_rules(head) {
            return Format::List;
        }
        if prose::is_prose(head) && table::has_single_word_below(head, assumed) {
            return Format::Text;
        }
        let is_table = !list::is_list(head) && table::has_header(head, assumed);
        if is_table { Format::Csv } else { Format::List }
    }
}

/// Whether a text starts as JSON. A defanged value such as `[.]` also starts with a bracket.
fn starts_as_json(text: &str) -> bool {
    let inside = |open: char| text.strip_prefix(open).map(str::trim_start);
    match (inside('{'), inside('[')) {
        (Some(object), _) => object.starts_with(['"', '}']),
        (_, Some(array)) => array.is_empty() || array.starts_with(['{', '"', '[']) || array == "]",
        _ => false,
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Format::ALL.iter().copied().find(|format| format.as_str() == text);
        known.ok_or_else(|| Error::UnknownFormat(text.to_owned()))
    }
}
