//! What a package installs beside the binary: completions and manual pages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::process::Command;

use support::command::{Ran, done, tipoff};

/// What bash completes after these words, the last of which is not complete.
fn completed(words: &[&str]) -> Vec<String> {
    let complete = r#"
        source <("$0" completions bash)
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        $(complete -p tipoff | sed 's/.*-F \([^ ]*\).*/\1/') tipoff "${!#}" "${@:$#-1:1}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-eu", "-c", complete, env!("CARGO_BIN_EXE_tipoff")]);
    let ran = done(Ran::of(bash.args(words)));
    assert_eq!(ran.err, "");
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    assert_eq!(completed(&["tipoff", "pk"]), ["pki"]);
    assert_eq!(completed(&["tipoff", "submit", "--dr"]), ["--dry-run"]);
    assert_eq!(completed(&["tipoff", "tip", "list", "--urgency", "imm"]), ["imminent-harm"]);
    assert_eq!(
        completed(&["tipoff", "journal", "migrate", "--to", ""]),
        ["sled", "files", "jetstream"]
    );
    let commands = completed(&["tipoff", ""]);
    assert!(commands.contains(&"enforcement".to_owned()), "{commands:?}");
}

#[test]
fn every_shell_gets_completions_of_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = done(Ran::of(&mut tipoff(&["completions", shell]))).out;
        for command in tipoff::cli::command().get_subcommands() {
            assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
        }
    }
    Ran::of(&mut tipoff(&["completions", "tcsh"])).failed(2, "powershell");
}

/// The names of the pages of a command and of those below it.
fn pages(command: &clap::Command, name: &str) -> Vec<String> {
    let below = command.get_subcommands();
    let below = below.flat_map(|each| pages(each, &format!("{name}-{}", each.get_name())));
    std::iter::once(format!("{name}.1")).chain(below).collect()
}

#[test]
fn each_command_has_a_manual_page_that_groff_formats_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let manual = folder.path().join("share/man/man1");
    done(Ran::of(&mut tipoff(&["manual", manual.to_str().unwrap()])));
    let pages = pages(&tipoff::cli::command(), "tipoff");
    assert_eq!(fs::read_dir(&manual).unwrap().count(), pages.len());
    assert!(pages.contains(&"tipoff-tip-respond.1".to_owned()));
    for page in pages {
        let mut groff = Command::new("groff");
        groff.args(["-man", "-ww", "-Tutf8", "-P-cbou"]).arg(manual.join(&page));
        let shown = done(Ran::of(&mut groff));
        assert_eq!(shown.err, "", "{page}");
        let (_, examples) = shown.out.split_once("EXAMPLES\n").expect(&page);
        let command = page.trim_end_matches(".1").replace('-', " ");
        assert!(
            examples.trim_start().starts_with(&command) || page.contains("completions"),
            "{page}"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = file.path().join("man1");
    let path = folder.display().to_string();
    Ran::of(&mut tipoff(&["manual", &path])).failed(1, &path);
}
