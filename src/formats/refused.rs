//! File formats that are recognized and refused, each with advice on what to submit instead.

/// A format that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableFormat {
    /// What it is: `a spreadsheet (xlsx)`.
    pub name: &'static str,
    /// What to do instead.
    pub advice: &'static str,
}

/// The fixed bytes by which a format is recognized.
pub struct Signature {
    /// Where in the file they are.
    pub offset: usize,
    /// The bytes.
    pub bytes: &'static [u8],
    /// The format.
    pub format: UnreadableFormat,
}

const fn signature(
    offset: usize,
    bytes: &'static [u8],
    name: &'static str,
    advice: &'static str,
) -> Signature {
    Signature { offset, bytes, format: UnreadableFormat { name, advice } }
}

const CONVERT: &str = "save its tables as CSV and submit those";
const TEXT_OF_IMAGE: &str = "write what it shows into a text file and submit that";
const EXPORT_ROWS: &str = "export the rows as CSV or JSON lines and submit those";

/// Formats that begin with fixed bytes.
pub const SIGNATURES: &[Signature] = &[
    signature(0, b"\x1f\x8b", "compressed (gzip)", "use `gunzip -c FILE | tipoff submit -`"),
    signature(0, b"BZh", "compressed (bzip2)", "use `bunzip2 -c FILE | tipoff submit -`"),
    signature(0, b"\xfd7zXZ\0", "compressed (xz)", "use `unxz -c FILE | tipoff submit -`"),
    signature(0, b"\x28\xb5\x2f\xfd", "compressed (zstd)", "use `zstd -dc FILE | tipoff submit -`"),
    signature(0, b"\x04\x22\x4d\x18", "compressed (lz4)", "use `lz4 -dc FILE | tipoff submit -`"),
    signature(0, b"7z\xbc\xaf\x27\x1c", "an archive (7z)", "unpack it and submit the files in it"),
    signature(0, b"Rar!\x1a\x07", "an archive (rar)", "unpack it and submit the files in it"),
    signature(257, b"ustar", "an archive (tar)", "unpack it and submit the files in it"),
    signature(
        0,
        b"%PDF-",
        "a PDF",
        "copy its text into a file and submit that with `--format text`",
    ),
    signature(
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a document of Microsoft Office (doc, xls)",
        CONVERT,
    ),
    signature(
        0,
        b"{\\rtf",
        "a document (rtf)",
        "save it as plain text and submit that with `--format text`",
    ),
    signature(0, b"PAR1", "a table (parquet)", EXPORT_ROWS),
    signature(0, b"SQLite format 3\0", "a database (SQLite)", EXPORT_ROWS),
    signature(0, b"Obj\x01", "a table (Avro)", EXPORT_ROWS),
    signature(0, b"\x89PNG\r\n", "an image (PNG)", TEXT_OF_IMAGE),
    signature(0, b"\xff\xd8\xff", "an image (JPEG)", TEXT_OF_IMAGE),
    signature(0, b"GIF87a", "an image (GIF)", TEXT_OF_IMAGE),
    signature(0, b"GIF89a", "an image (GIF)", TEXT_OF_IMAGE),
    signature(8, b"WEBP", "an image (WebP)", TEXT_OF_IMAGE),
    signature(0, b"\x7fELF", "a program", "submit its digest: `sha256sum FILE | tipoff submit -`"),
    signature(0, b"MZ\x90\0", "a program", "submit its digest: `sha256sum FILE | tipoff submit -`"),
    signature(
        0,
        b"\xd4\xc3\xb2\xa1",
        "captured traffic (pcap)",
        "export the hosts and addresses in it as CSV",
    ),
    signature(
        0,
        b"\x0a\x0d\x0d\x0a",
        "captured traffic (pcapng)",
        "export the hosts and addresses in it as CSV",
    ),
];

/// Formats that are ZIP archives, by a name of a file inside. The first entry that occurs in the head counts.
pub const IN_ZIP: &[(&str, UnreadableFormat)] = &[
    (
        "xl/",
        UnreadableFormat {
            name: "a spreadsheet (xlsx)",
            advice: "save the sheet as CSV and submit that",
        },
    ),
    (
        "word/",
        UnreadableFormat {
            name: "a document (docx)",
            advice: "save it as plain text and submit that with `--format text`",
        },
    ),
    (
        "ppt/",
        UnreadableFormat {
            name: "a presentation (pptx)",
            advice: "save it as plain text and submit that with `--format text`",
        },
    ),
    (
        "opendocument.spreadsheet",
        UnreadableFormat {
            name: "a spreadsheet (ods)",
            advice: "save the sheet as CSV and submit that",
        },
    ),
    (
        "opendocument.text",
        UnreadableFormat {
            name: "a document (odt)",
            advice: "save it as plain text and submit that with `--format text`",
        },
    ),
    (
        "AndroidManifest.xml",
        UnreadableFormat {
            name: "an Android app (apk)",
            advice: "submit its digest: `sha256sum FILE | tipoff submit -`",
        },
    ),
];

const ZIP: UnreadableFormat =
    UnreadableFormat { name: "an archive (zip)", advice: "unpack it and submit the files in it" };

/// Formats that are XML, by an element or a namespace, in lower case. The first entry that occurs in the head counts.
pub const IN_XML: &[(&str, UnreadableFormat)] = &[
    (
        "stix:stix_package",
        UnreadableFormat {
            name: "STIX 1 (XML)",
            advice: "export it as STIX 2.1 or as CSV and submit that",
        },
    ),
    (
        "<ioc",
        UnreadableFormat {
            name: "OpenIOC (XML)",
            advice: "export it as STIX 2.1 or as CSV and submit that",
        },
    ),
    (
        "openioc",
        UnreadableFormat {
            name: "OpenIOC (XML)",
            advice: "export it as STIX 2.1 or as CSV and submit that",
        },
    ),
    (
        "<iodef",
        UnreadableFormat { name: "IODEF (XML)", advice: "export it as CSV and submit that" },
    ),
    (
        "<rss",
        UnreadableFormat {
            name: "a news feed (RSS)",
            advice: "save the page that it links to, and submit that",
        },
    ),
    (
        "<feed",
        UnreadableFormat {
            name: "a news feed (Atom)",
            advice: "save the page that it links to, and submit that",
        },
    ),
    ("<svg", UnreadableFormat { name: "an image (SVG)", advice: TEXT_OF_IMAGE }),
];

const XML: UnreadableFormat =
    UnreadableFormat { name: "XML", advice: "export it as CSV, JSON or STIX 2.1 and submit that" };

/// How many bytes of a file are searched for the names of [`IN_ZIP`] and [`IN_XML`].
const SEARCHED_BYTES: usize = 4_096;

/// Detects a refused format by the first bytes of a file. `None` if the file may be read.
pub fn unreadable_format(head: &[u8]) -> Option<UnreadableFormat> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(named_in(head, IN_ZIP).unwrap_or(ZIP));
    }
    let has = |signature: &&Signature| {
        head.get(signature.offset..).is_some_and(|rest| rest.starts_with(signature.bytes))
    };
    SIGNATURES.iter().find(has).map(|signature| signature.format).or_else(|| xml(head))
}

fn named_in(head: &[u8], names: &[(&str, UnreadableFormat)]) -> Option<UnreadableFormat> {
    let start = &head[..head.len().min(SEARCHED_BYTES)];
    let occurs = |name: &str| {
        start.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name.as_bytes()))
    };
    names.iter().find(|(name, _)| occurs(name)).map(|(_, format)| *format)
}

/// Detects XML: a file that begins with `<?xml`, or with an element of [`IN_XML`]. HTML is read, so it is not refused,
/// even if it begins with `<?xml`.
fn xml(head: &[u8]) -> Option<UnreadableFormat> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if !head.starts_with(b"<") {
        return None;
    }
    let is_html = named_in(head, &[("<html", XML), ("<!doctype html", XML)]).is_some();
    let known = named_in(head, IN_XML).filter(|_| !is_html);
    known.or_else(|| (head.starts_with(b"<?xml") && !is_html).then_some(XML))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_formats_are_named_with_what_to_do() {
        let mut tar = vec![0; 257];
        tar.extend_from_slice(b"ustar\0");
        let table: [(&[u8], &str); 13] = [
            (b"\x1f\x8b\x08rest", "compressed (gzip)"),
            (b"PK\x03\x04....[Content_Types].xml....xl/workbook.xml", "a spreadsheet (xlsx)"),
            (b"PK\x03\x04..mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "a spreadsheet (ods)"),
            (b"PK\x03\x04....indicators.csv", "an archive (zip)"),
            (&tar, "an archive (tar)"),
            (b"%PDF-1.7", "a PDF"),
            (b"PAR1....", "a table (parquet)"),
            (b"SQLite format 3\0", "a database (SQLite)"),
            (b"\x89PNG\r\n\x1a\n", "an image (PNG)"),
            (b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<ioc xmlns=\"http://schemas.mandiant.com/2010/ioc\">", "OpenIOC (XML)"),
            (b"<stix:STIX_Package id=\"x\">", "STIX 1 (XML)"),
            (b"<?xml version=\"1.0\"?><rss version=\"2.0\">", "a news feed (RSS)"),
            (b"<?xml version=\"1.0\"?><list>", "XML"),
        ];
        for (head, name) in table {
            assert_eq!(unreadable_format(head).map(|format| format.name), Some(name));
        }
    }

    #[test]
    fn text_is_not_refused() {
        let texts: [&[u8]; 6] = [
            b"a.example\n",
            b"",
            b"<!DOCTYPE html><html><svg></svg>",
            b"<?xml version=\"1.0\"?><!DOCTYPE html><html>",
            b"PKI\n",
            b"<https://a.example/>\n",
        ];
        for text in texts {
            assert_eq!(unreadable_format(text), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
