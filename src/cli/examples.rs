//! The examples at the end of each command's `--help` and manual page.

use clap::Command;

/// Each command, and examples of it. Names are reserved ones.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("tipoff", &["tipoff demo", "tipoff whoami", "tipoff submit report.csv --dry-run"]),
    (
        "tipoff demo",
        &["tipoff demo", "tipoff demo --data report.csv --keep", "tipoff demo --cluster"],
    ),
    (
        "tipoff serve",
        &[
            "tipoff serve --config /etc/tipoff/tipoff.toml --check-config",
            "tipoff serve --config /etc/tipoff/tipoff.toml",
        ],
    ),
    ("tipoff top", &["tipoff top", "tipoff top --once --metrics http://127.0.0.1:7445/metrics"]),
    (
        "tipoff health",
        &["tipoff health", "tipoff health --ops 127.0.0.1:7445", "tipoff health --live"],
    ),
    ("tipoff completions", &["source <(tipoff completions bash)"]),
    ("tipoff manual", &["tipoff manual ~/.local/share/man/man1"]),
    ("tipoff journal", &["tipoff journal show --config /etc/tipoff/tipoff.toml"]),
    ("tipoff journal show", &["tipoff journal show --config /etc/tipoff/tipoff.toml"]),
    ("tipoff journal migrate", &["tipoff journal migrate --to sled --data /var/lib/tipoff"]),
    ("tipoff pki", &["tipoff pki init /secure/ca", "tipoff pki show --ca /secure/ca"]),
    ("tipoff pki init", &["tipoff pki init /secure/ca --trust-domain exchange.example"]),
    (
        "tipoff pki issue",
        &[
            "tipoff pki issue birdsite --ca /secure/ca --out birdsite",
            "tipoff pki issue --server-name exchange.example --ca /secure/ca --out node",
            "tipoff pki issue birdsite --ca /secure/ca --out birdsite --replace",
        ],
    ),
    (
        "tipoff pki revoke",
        &[
            "tipoff pki revoke birdsite --reason 'a laptop was stolen'",
            "tipoff pki revoke --certificate old/cert.pem --reason replaced",
        ],
    ),
    ("tipoff pki show", &["tipoff pki show", "tipoff pki show --ca /secure/ca"]),
    (
        "tipoff whoami",
        &["tipoff whoami", "tipoff whoami --server https://exchange.example:7443 --json"],
    ),
    (
        "tipoff submit",
        &[
            "tipoff submit report.csv --dry-run",
            "tipoff submit report.md --label phishing --tlp GREEN",
            "tipoff submit block.txt --list phishing --kind domain --group industry",
        ],
    ),
    (
        "tipoff withdraw",
        &[
            "tipoff withdraw library.example",
            "tipoff withdraw library.example --group industry",
            "tipoff withdraw --submission takedown-2026-0117",
        ],
    ),
    (
        "tipoff release",
        &[
            "tipoff release shop.example --to cyber-unit --basis 'warrant W-17'",
            "tipoff release shop.example --to cyber-unit --retract",
        ],
    ),
    ("tipoff hold", &["tipoff hold place shop.example --reason 'preservation request'"]),
    (
        "tipoff hold place",
        &[
            "tipoff hold place shop.example --reason 'preservation request'",
            "tipoff hold place --submission takedown-2026-0117 --reason 'case 17'",
        ],
    ),
    ("tipoff hold list", &["tipoff hold list", "tipoff hold list --content"]),
    ("tipoff hold renew", &["tipoff hold renew 9ab95750-5cdb-59a2-813a-f08b54d74ca2"]),
    ("tipoff hold lift", &["tipoff hold lift 9ab95750-5cdb-59a2-813a-f08b54d74ca2"]),
    (
        "tipoff subscribe",
        &[
            "tipoff subscribe --name desk --from start",
            "tipoff subscribe --kind domain --verdict malicious --json",
            "tipoff subscribe --name case-17 --purpose warrant:W-17:GB",
        ],
    ),
    ("tipoff subscription", &["tipoff subscription list"]),
    ("tipoff subscription list", &["tipoff subscription list", "tipoff subscription list --json"]),
    ("tipoff subscription delete", &["tipoff subscription delete desk"]),
    (
        "tipoff pull",
        &[
            "tipoff pull --format csv > today.csv",
            "tipoff pull --snapshot --format stix > all.json",
            "tipoff pull --purpose warrant:W-17:GB --format jsonl > released.jsonl",
        ],
    ),
    (
        "tipoff export",
        &[
            "tipoff export --format list --kind domain --out block.txt",
            "tipoff export --format misp --out feed",
            "tipoff export --format stix --author birdsite --out birdsite.json",
        ],
    ),
    ("tipoff show", &["tipoff show library.example", "tipoff show x:harbour_watcher --json"]),
    (
        "tipoff lookup",
        &[
            "tipoff lookup 'hxxps://shop[.]example' x:harbour_watcher +1-202-555-0143",
            "tipoff lookup - --json < values.txt",
        ],
    ),
    (
        "tipoff sighting",
        &[
            "tipoff sighting shop.example",
            "tipoff sighting x:harbour_watcher --count 3 --last-seen 2026-11-24",
        ],
    ),
    (
        "tipoff feedback",
        &["tipoff feedback 9.454 --opinion strongly-disagree --note 'a public library'"],
    ),
    ("tipoff tip", &["tipoff tip list", "tipoff tip show 27139426"]),
    (
        "tipoff tip send",
        &[
            "tipoff tip send 'These may be one network.' --to birdsite --file values.csv",
            "tipoff tip send - --to birdsite --urgency priority < narrative.txt",
        ],
    ),
    ("tipoff tip list", &["tipoff tip list --overdue", "tipoff tip list --sent --with birdsite"]),
    ("tipoff tip show", &["tipoff tip show 27139426", "tipoff tip show 27139426 --to birdsite"]),
    (
        "tipoff tip respond",
        &[
            "tipoff tip respond 27139426 --move acknowledged",
            "tipoff tip respond 27139426 --move actioned --count '7 pages on facebook'",
            "tipoff tip respond 27139426 --message 'one more' --indicator shop.example",
        ],
    ),
    ("tipoff tip withdraw", &["tipoff tip withdraw 27139426"]),
    ("tipoff campaign", &["tipoff campaign list"]),
    (
        "tipoff campaign put",
        &[
            "tipoff campaign put --name 'Harbour network'",
            "tipoff campaign put --name 'Harbour network' --actor Firm --confidence 70",
        ],
    ),
    (
        "tipoff campaign show",
        &[
            "tipoff campaign show bb96d147-c803-4415-8403-eb9afd6486e7 --timeline",
            "tipoff campaign show bb96d147-c803-4415-8403-eb9afd6486e7 --graph dot",
        ],
    ),
    ("tipoff campaign list", &["tipoff campaign list", "tipoff campaign list --json"]),
    ("tipoff enforcement", &["tipoff enforcement report --from 2026-10-01"]),
    (
        "tipoff enforcement put",
        &[
            "tipoff enforcement put --count '936 accounts on x' --from 2026-11-20",
            "tipoff enforcement put --count '7 pages on facebook' --method after_tip",
            "tipoff enforcement put --count '8 pages on facebook' --id 2026-11:pages",
        ],
    ),
    (
        "tipoff enforcement withdraw",
        &[
            "tipoff enforcement withdraw 2026-11:pages",
            "tipoff enforcement withdraw 2026-11:pages --group core",
        ],
    ),
    (
        "tipoff enforcement report",
        &[
            "tipoff enforcement report --from 2026-10-01 --until 2026-12-31",
            "tipoff enforcement report --partner birdsite --markdown > report.md",
        ],
    ),
    ("tipoff audit", &["tipoff audit deliveries 12", "tipoff audit accesses"]),
    ("tipoff audit deliveries", &["tipoff audit deliveries 12", "tipoff audit deliveries 17-29"]),
    (
        "tipoff audit accesses",
        &[
            "tipoff audit accesses --liaison cyber-unit --since 2026-11-01",
            "tipoff audit accesses --by liaison,day",
        ],
    ),
    ("tipoff partner", &["tipoff partner list"]),
    (
        "tipoff partner put",
        &[
            "tipoff partner put tubeworks --role member --platform youtube",
            "tipoff partner put cyber-unit --role liaison --jurisdiction GB \\\n      --purpose warrant",
            "tipoff partner put tubeworks --max-withdrawn-per-hour 5000",
        ],
    ),
    ("tipoff partner list", &["tipoff partner list", "tipoff partner list --json"]),
    (
        "tipoff partner suspend",
        &[
            "tipoff partner suspend tubeworks",
            "tipoff partner suspend tubeworks --compromised-since 2026-11-20T00:00:00Z",
        ],
    ),
    ("tipoff partner resume", &["tipoff partner resume tubeworks"]),
    ("tipoff group", &["tipoff group list"]),
    (
        "tipoff group put",
        &[
            "tipoff group put industry --add tubeworks --remove birdsite",
            "tipoff group put closed --restricted --terms 'terms of the source, version 1'",
        ],
    ),
    ("tipoff group list", &["tipoff group list", "tipoff group list --json"]),
    (
        "tipoff group confirm",
        &["tipoff group confirm closed --terms 'terms of the source, version 1'"],
    ),
];

/// The examples of a command, by its full name.
pub fn of(name: &str) -> &'static [&'static str] {
    EXAMPLES.iter().find(|(command, _)| *command == name).map_or(&[], |(_, examples)| examples)
}

/// Adds the examples to the long help of a command and of those below it. `-h` stays short.
pub fn add(command: Command, name: &str) -> Command {
    let below: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let command = below.into_iter().fold(command, |command, child| {
        let full_name = format!("{name} {child}");
        command.mut_subcommand(child, |command| add(command, &full_name))
    });
    let lines: String = of(name).iter().map(|example| format!("\n  {example}")).collect();
    let help = command.get_after_help().map(|help| format!("{help}\n\n")).unwrap_or_default();
    command.after_long_help(format!("{help}Examples:{lines}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser;

    use super::*;
    use crate::cli::{Arguments, command};

    /// The full names of a command and of those below it.
    fn names(command: &Command, name: &str, all: &mut BTreeSet<String>) {
        all.insert(name.to_owned());
        for command in command.get_subcommands() {
            names(command, &format!("{name} {}", command.get_name()), all);
        }
    }

    #[test]
    fn every_command_has_one_to_three_examples_of_itself() {
        let mut all = BTreeSet::new();
        names(&command(), "tipoff", &mut all);
        let with_examples: BTreeSet<String> =
            EXAMPLES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(all, with_examples);
        for (name, examples) in EXAMPLES {
            assert!((1..=3).contains(&examples.len()), "{name}");
            for example in *examples {
                assert!(example.contains(name), "{name}: {example}");
                assert!(example.lines().all(|line| line.len() <= 78), "{name}: {example}");
            }
        }
    }

    #[test]
    fn every_example_is_accepted() {
        for example in EXAMPLES.iter().flat_map(|(_, examples)| *examples) {
            let command = example.trim_start_matches("source <(").trim_end_matches(')');
            let words = shlex::split(&command.replace("\\\n", "")).expect("quotes are closed");
            let words = words.into_iter().take_while(|word| !["<", ">"].contains(&word.as_str()));
            if let Err(error) = Arguments::try_parse_from(words) {
                panic!("{example}: {error}");
            }
        }
    }

    #[test]
    fn examples_end_the_long_help_and_are_not_in_the_short_one() {
        fn check(command: &mut Command) {
            let (long, short) = (command.render_long_help(), command.render_help());
            let (long, short) = (long.to_string(), short.to_string());
            let name = command.get_bin_name().unwrap_or("tipoff").to_owned();
            let (_, examples) = long.rsplit_once("\nExamples:\n").expect(&name);
            assert!(examples.contains(&name), "{name}");
            assert!(!short.contains("Examples:"), "{name}");
            for command in command.get_subcommands_mut().filter(|each| each.get_name() != "help") {
                check(command);
            }
        }
        let mut command = command();
        command.build();
        check(&mut command);
    }
}
